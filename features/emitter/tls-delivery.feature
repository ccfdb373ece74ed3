@emitter
Feature: TLS of deliveries
  Who is trusted, who is not, and which certificate the emitter shows of itself.

  Background:
    Given an environment

  @DLV-TLS-001
  Rule: Without verification every certificate will do

    Scenario Outline: A receiver <receiver>
      Given a receiver <receiver>
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | false |
      When user "Ada" is created
      Then the event of "Ada" is delivered

      Examples:
        | receiver                                   |
        | with a self-signed certificate             |
        | with a certificate of an unknown authority |

  @DLV-TLS-002
  Rule: With verification nothing is sent to a receiver that is not trusted

    Scenario Outline: An untrusted receiver <receiver>
      Given a receiver <receiver>
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      When user "Ada" is created
      Then the emitter tries to deliver and no request arrives

      Examples:
        | receiver                                   |
        | with a self-signed certificate             |
        | with a certificate of an unknown authority |

    @needs:certificates
    Scenario: The certificate of a trusted authority has expired
      Given a receiver with an expired certificate
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      When user "Ada" is created
      Then the emitter tries to deliver and no request arrives

    @needs:certificates
    Scenario: The certificate of a trusted authority is not valid yet
      Given a receiver with a certificate that is not valid yet
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      When user "Ada" is created
      Then the emitter tries to deliver and no request arrives

    @needs:environments
    Scenario: The authority is trusted in another environment
      Given another environment "elsewhere"
      And a receiver with a certificate of an unknown authority
      And the receiver's certificate uploaded in environment "elsewhere" with usage type "SSL/TLS"
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      When user "Ada" is created
      Then the emitter tries to deliver and no request arrives

    Scenario: Of two subscriptions at the receiver one verifies and one does not
      Given a receiver with a self-signed certificate
      And a subscription "lax" to "USER.CREATED" at receiver "receiver" with:
        | verifyTlsCertificates | false |
      And a subscription "strict" to "USER.DELETED" at receiver "receiver" with:
        | verifyTlsCertificates | true |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      When user "Ada" is deleted
      And users "Bob" and "Cleo" are created, each after the one before has come to "receiver"
      Then the event of "deletion of Ada" has not come to "receiver"

    @whole-environment
    Scenario: Verification is switched on
      Given a receiver with a certificate of an unknown authority
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | false |
      And a first event has been delivered
      When the subscription is changed with:
        | verifyTlsCertificates | true |
      And user "Bob" is created
      Then the emitter tries to deliver and no request arrives

    @needs:certificates
    Scenario Outline: A certificate that was trusted is replaced by <another>
      Given a receiver on a port that is its own
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      And a first event has been delivered
      When the receiver's certificate is replaced by <another>
      And user "Bob" is created
      Then the emitter tries to deliver and no request arrives

      Examples:
        | another              |
        | a self-signed one    |
        | one that has expired |
        | one not valid yet    |

    @needs:connection-test
    Scenario: The connection to an untrusted receiver is tested
      Given a receiver with a self-signed certificate
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true                               |
        | header Authorization  | Basic aG9va3Byb29mOm9wZW4gc2VzYW1l |
      When the subscription's connection is tested
      And user "Ada" is created
      Then the emitter tries to deliver and no request arrives

  @DLV-TLS-003
  Rule: An uploaded authority is trusted

    Scenario: The certificate of the receiver's authority was uploaded
      Given a receiver with a certificate of an unknown authority
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      When user "Ada" is created
      Then the event of "Ada" is delivered

    Scenario: Another certificate was uploaded after that of the receiver's authority
      Given a receiver with a certificate of an unknown authority
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And another certificate uploaded with usage type "SSL/TLS"
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      When user "Ada" is created
      Then the event of "Ada" is delivered

    Scenario: Another certificate was uploaded before that of the receiver's authority
      Given a receiver with a certificate of an unknown authority
      And another certificate uploaded with usage type "SSL/TLS"
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      When user "Ada" is created
      Then the event of "Ada" is delivered

  @DLV-TLS-004
  Rule: An uploaded self-signed certificate is trusted

    Scenario: The receiver's own certificate was uploaded
      Given a receiver with a self-signed certificate
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      When user "Ada" is created
      Then the event of "Ada" is delivered

  @DLV-TLS-005
  Rule: A certificate uploaded for another use gives no trust

    Scenario Outline: The authority was uploaded with usage type <usage>
      Given a receiver with a certificate of an unknown authority
      And the receiver's certificate uploaded with usage type "<usage>"
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      When user "Ada" is created
      Then the emitter tries to deliver and no request arrives

      Examples:
        | usage    |
        | SIGNING  |
        | ISSUANCE |

  @DLV-TLS-006
  Rule: The certificate of the subscription's key is presented

    @needs:certificates
    Scenario Outline: A receiver <receiver>
      Given a receiver <receiver>
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And key "other" with usage type "OUTBOUND_MTLS"
      And key "client" with usage type "OUTBOUND_MTLS"
      And a subscription to "USER.CREATED" with:
        | key                   | client |
        | verifyTlsCertificates | true   |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And every delivery presents the certificate of key "client"

      Examples:
        | receiver                        |
        | requiring a client certificate  |
        | asking for a client certificate |

    @needs:certificates
    Scenario Outline: A receiver <receiver> that resets connections
      Given a receiver <receiver> that resets the connections of the first 2 deliveries
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And key "client" with usage type "OUTBOUND_MTLS"
      And a subscription to "USER.CREATED" with:
        | key                   | client |
        | verifyTlsCertificates | true   |
      When user "Ada" is created
      Then the event of "Ada" is sent to "receiver" until it is acknowledged
      And every delivery presents the certificate of key "client"

      Examples:
        | receiver                        |
        | requiring a client certificate  |
        | asking for a client certificate |

    @needs:certificates
    Scenario Outline: A receiver <receiver> that resets one connection after a success
      Given a receiver <receiver> that resets the connection of the second delivery
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And key "client" with usage type "OUTBOUND_MTLS"
      And key "later" with usage type "OUTBOUND_MTLS"
      And a subscription to "USER.CREATED" with:
        | key                   | client |
        | verifyTlsCertificates | true   |
      And a first event has been delivered
      When user "Bob" is created
      Then the event of "Bob" is sent to "receiver" until it is acknowledged
      And every delivery presents the certificate of key "client"

      Examples:
        | receiver                        |
        | requiring a client certificate  |
        | asking for a client certificate |

    @needs:certificates @whole-environment
    Scenario: Another key takes the place of the first
      Given a receiver asking for a client certificate
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And keys "client" and "later" with usage type "OUTBOUND_MTLS"
      And a subscription to "USER.CREATED" with:
        | key                   | client |
        | verifyTlsCertificates | true   |
      And a first event has been delivered
      When the subscription is changed with:
        | key | later |
      And user "Bob" is created
      Then the event of "Bob" is delivered
      And every delivery presents the certificate of key "later"

    @needs:certificates @whole-environment
    Scenario: A subscription without a key gets one
      Given a receiver asking for a client certificate
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And key "client" with usage type "OUTBOUND_MTLS"
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      And a first event has been delivered
      When the subscription is changed with:
        | key | client |
      And user "Bob" is created
      Then the event of "Bob" is delivered
      And every delivery presents the certificate of key "client"

  @DLV-TLS-007
  Rule: Without a key no certificate is presented

    Scenario: A receiver asks for a certificate
      Given a receiver asking for a client certificate
      And a subscription to "USER.CREATED"
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And no delivery presents a client certificate

    @needs:certificates
    Scenario: The environment has a key that the subscription does not use
      Given a receiver asking for a client certificate
      And key "client" with usage type "OUTBOUND_MTLS"
      And a subscription to "USER.CREATED"
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And no delivery presents a client certificate

    @needs:certificates @whole-environment
    Scenario: The key is taken from the subscription
      Given a receiver asking for a client certificate
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And key "client" with usage type "OUTBOUND_MTLS"
      And a subscription to "USER.CREATED" with:
        | key                   | client |
        | verifyTlsCertificates | true   |
      And a first event has been delivered
      When the subscription is changed with:
        | tlsClientAuthKeyPair | absent |
      And user "Bob" is created
      Then the event of "Bob" is delivered
      And no delivery presents a client certificate

  @DLV-TLS-008
  Rule: A certificate for another host is not trusted

    @needs:certificates
    Scenario: The authority is trusted and the host is another
      Given a receiver with a certificate for another host
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      When user "Ada" is created
      Then the emitter tries to deliver and no request arrives

    @needs:certificates
    Scenario: A certificate that was trusted is replaced by one for another host
      Given a receiver on a port that is its own
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      And a first event has been delivered
      When the receiver's certificate is replaced by one for another host
      And user "Bob" is created
      Then the emitter tries to deliver and no request arrives

  @DLV-TLS-009
  Rule: Nothing is sent in clear text

    Scenario Outline: The port speaks plain HTTP and verification is <verified>
      Given a receiver without TLS
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | <verified> |
      When user "Ada" is created
      Then the emitter tries to deliver and no request arrives

      Examples:
        | verified |
        | true     |
        | false    |

    @needs:certificates
    Scenario Outline: The port speaks TLS no more and verification is <verified>
      Given a receiver on a port that is its own
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | <verified> |
      And a first event has been delivered
      When the receiver speaks TLS no more
      And user "Bob" is created
      Then the emitter tries to deliver and no request arrives

      Examples:
        | verified |
        | true     |
        | false    |
