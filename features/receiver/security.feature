@receiver
Feature: Who may deliver, and to whom
  The credentials and the client certificate are what a receiver knows the platform by, and its own certificate is what
  the platform knows it by.

  @RCV-011
  Rule: Without the credentials a delivery is refused

    Scenario Outline: A delivery with <credentials>
      Given the receiver is subscribed with <credentials>
      When sample event "user-created" happens
      Then every delivery is refused with 401 or 403

      Examples:
        | credentials       |
        | no credentials    |
        | wrong credentials |

    Scenario Outline: A delivery with the credentials <almost>
      Given the receiver is subscribed with the credentials <almost>
      When sample event "user-created" happens
      Then every delivery is refused with 401 or 403

      Examples:
        | almost                |
        | in other case         |
        | with one byte changed |
        | cut short             |
        | lengthened            |
        | within a longer value |
        | without their scheme  |

    Scenario Outline: Deliveries of <count> events without the credentials, in <form>
      When <count> events are posted to the receiver without the credentials, in <form>
      Then the post is refused with 401 or 403

      Examples:
        | count | form            |
        | 20    | a compact array |
        | 3     | a pretty array  |
        | 3     | chunks          |

    @needs:ndjson
    Scenario: A delivery in lines without the credentials
      When 3 events are posted to the receiver without the credentials, in lines
      Then the post is refused with 401 or 403

    Scenario: A delivery without the credentials on a connection that has had them
      When an event is posted to the receiver, and another on the same connection without the credentials
      Then the second post is refused with 401 or 403

    Scenario: A redelivery without the credentials of what came with them
      Given 2 events are posted to the receiver at once
      When the same body is posted again without the credentials
      Then the second post is refused with 401 or 403

    Scenario: A delivery with the credentials
      Given the receiver under test, subscribed to "USER.CREATED"
      When sample event "user-created" happens
      Then every delivery is answered 200

  @RCV-012
  Rule: The certificate can be verified

    Scenario: A subscription that verifies certificates
      Given the receiver under test, subscribed to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      When sample event "user-created" happens
      Then every delivery is answered 200

  @RCV-013
  Rule: TLS below 1.2 is refused

    Scenario: A client that speaks no newer version
      When a client that speaks no TLS above 1.1 shakes hands with the receiver
      Then the handshake is refused

  @RCV-014
  Rule: Without the client certificate a delivery is refused

    Scenario Outline: A delivery with <certificate>
      Given the receiver is subscribed with <certificate>
      When sample event "user-created" happens
      Then no delivery is taken

      Examples:
        | certificate                               |
        | no client certificate                     |
        | a client certificate of another authority |

    Scenario: A delivery with the client certificate
      Given the receiver under test, subscribed to "USER.CREATED"
      When sample event "user-created" happens
      Then every delivery is answered 200
