@emitter
Feature: TLS settings
  A subscription may present a client certificate, if the receiver's own certificate is verified.

  Background:
    Given an environment

  @SUB-TLS-001
  Rule: A client key needs a verified receiver

    Scenario: A key without verification
      Given key "client" with usage type "OUTBOUND_MTLS"
      When a subscription is requested with:
        | key                   | client |
        | verifyTlsCertificates | false  |
      Then the request is refused

    Scenario: A replacement with a key and without verification
      Given key "client" with usage type "OUTBOUND_MTLS"
      And a subscription
      When the subscription is replaced with:
        | key                   | client |
        | verifyTlsCertificates | false  |
      Then the request is refused

    Scenario: Verification is switched off beside a key
      Given key "client" with usage type "OUTBOUND_MTLS"
      And a subscription with:
        | key                   | client |
        | verifyTlsCertificates | true   |
      When the subscription is replaced with:
        | key                   | client |
        | verifyTlsCertificates | false  |
      Then the request is refused

  @SUB-TLS-002
  Rule: A key for outbound mutual TLS is accepted

    Scenario: A key with verification
      Given key "client" with usage type "OUTBOUND_MTLS"
      And key "other" with usage type "OUTBOUND_MTLS"
      When a subscription is requested with:
        | key                   | client |
        | verifyTlsCertificates | true   |
      Then the answer names key "client"

  @SUB-TLS-003
  Rule: A key for anything else is refused

    Scenario Outline: A key of usage type <usage>
      Given key "client" with usage type "<usage>"
      When a subscription is requested with:
        | key                   | client |
        | verifyTlsCertificates | true   |
      Then the request is refused

      Examples:
        | usage      |
        | SIGNING    |
        | ENCRYPTION |
        | SSL/TLS    |

    Scenario Outline: A replacement with a key of usage type <usage>
      Given key "client" with usage type "<usage>"
      And a subscription
      When the subscription is replaced with:
        | key                   | client |
        | verifyTlsCertificates | true   |
      Then the request is refused

      Examples:
        | usage      |
        | SIGNING    |
        | ENCRYPTION |
        | SSL/TLS    |

  @SUB-TLS-004
  Rule: An unknown key is refused

    Scenario: The id of a key that does not exist
      When a subscription is requested with:
        | tlsClientAuthKeyPair  | {"id": "6f1d3c2a-94b7-4d38-8f0e-2b6f5f7a9c11"} |
        | verifyTlsCertificates | true                                           |
      Then the request is refused

    Scenario: A replacement with the id of a key that does not exist
      Given a subscription
      When the subscription is replaced with:
        | tlsClientAuthKeyPair  | {"id": "6f1d3c2a-94b7-4d38-8f0e-2b6f5f7a9c11"} |
        | verifyTlsCertificates | true                                           |
      Then the request is refused

  @SUB-TLS-005
  Rule: A PUT without a key removes it

    Scenario: The key is left out
      Given key "client" with usage type "OUTBOUND_MTLS"
      And a subscription to "USER.CREATED" with:
        | key                   | client |
        | verifyTlsCertificates | true   |
      When subscription "subscription" is put without a key
      And the subscription is read
      Then the answer is 200
      And the answer has no "tlsClientAuthKeyPair.id"

  @SUB-TLS-006
  Rule: A key in use stays

    Scenario: A key that a subscription uses
      Given key "client" with usage type "OUTBOUND_MTLS"
      And a subscription to "USER.CREATED" with:
        | key                   | client |
        | verifyTlsCertificates | true   |
      When key "client" is deleted
      Then the request is refused

    Scenario: A key that no subscription uses any more
      Given key "client" with usage type "OUTBOUND_MTLS"
      And a subscription to "USER.CREATED" with:
        | key                   | client |
        | verifyTlsCertificates | true   |
      When subscription "subscription" is put without a key
      And key "client" is deleted
      Then the key is gone

  @SUB-TLS-007
  Rule: A key is imported as a PKCS#12 file

    Scenario: A file with a password
      When a key is imported with usage type "OUTBOUND_MTLS"
      Then the import is answered with a key of usage type "OUTBOUND_MTLS"

  @SUB-TLS-008
  Rule: A certificate to trust is uploaded

    Scenario: A certificate in PEM
      When a certificate is uploaded with usage type "SSL/TLS"
      Then the upload is accepted
