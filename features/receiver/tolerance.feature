@receiver
Feature: Tolerance
  Events grow members and types as the platform does, names are in any script, and some requests are no delivery at
  all. None of it may lose an event.

  @RCV-015
  Rule: What is not known, or not there, does no harm

    Scenario Outline: An event <event>
      Given the receiver under test, subscribed to "COFFEE_MACHINE.DESCALED, USER.CREATED, FLOW.CREATED, ACTION.CREATED"
      When sample events "user-created" and "<sample>" happen at once
      Then every delivery is answered 200

      Examples:
        | event                                   | sample                        |
        | of an unknown type with unknown members | unknown-type-and-members      |
        | with an empty population                | user-created-empty-population |
        | without a user who acts                 | flow-created-without-user     |
        | without any actor                       | action-created-by-system      |

    Scenario: Events of every kind in one delivery
      Given the receiver under test, subscribed to "COFFEE_MACHINE.DESCALED, USER.CREATED, FLOW.CREATED, ACTION.CREATED"
      When sample events "unknown-type-and-members", "user-created-empty-population", "flow-created-without-user", "action-created-by-system" and "user-created" happen at once
      Then a delivery of 5 events is answered 200

    Scenario: An event whose members are in another order
      Given the receiver under test, subscribed to "USER.CREATED"
      When an event whose members come in the reverse order
      Then every delivery is answered 200

  @RCV-016
  Rule: A time may have no fraction of a second, or one of up to nine digits

    Scenario: Times of every precision
      Given the receiver under test, subscribed to "USER.CREATED"
      When events with 0 to 9 digits of a second's fraction
      Then a delivery of 10 events is answered 200

  @RCV-017
  Rule: Names in any script, escapes and long strings are kept as they are

    Scenario Outline: An event with <what>
      Given the receiver under test, subscribed to "USER.CREATED"
      When sample events "user-created" and "<sample>" happen at once
      Then every delivery is answered 200
      And every event is read back unchanged, where reading back is offered

      Examples:
        | what                  | sample                 |
        | names in many scripts | user-created-non-ascii |
        | escapes in a name     | user-created-escapes   |

    Scenario: An event with a long string
      Given the receiver under test, subscribed to "USER.CREATED"
      When an event with a string of 20000 letters
      Then every delivery is answered 200
      And every event is read back unchanged, where reading back is offered

  @RCV-018
  Rule: A connection test does no harm

    Scenario: A connection test, and then a delivery
      Given the receiver under test, subscribed to "USER.CREATED"
      When the subscription's connection is tested
      Then the test is accepted
      When sample event "user-created" happens
      Then every delivery is answered 200

    Scenario: A HEAD request, and then a delivery
      Given the receiver under test, subscribed to "USER.CREATED"
      When the receiver is asked with HEAD
      And sample event "user-created" happens
      Then every delivery is answered 200

  @RCV-019
  Rule: A body that is no JSON is refused, and the next delivery is accepted

    Scenario Outline: The body «<body>»
      Given the receiver under test, subscribed to "USER.CREATED"
      When the body «<body>» is posted to the receiver
      Then the post is refused with a status of 4xx
      When sample event "user-created" happens
      Then every delivery is answered 200

      Examples:
        | body                   |
        | this is no JSON        |
        | [{"id":"cut in the mid |
        | <events/>              |

  @RCV-020
  Rule: A delivery that is cut off leaves nothing behind, and its retry is accepted

    Scenario: Half a body, and then the whole
      Given a post of 10 events to the receiver is cut off in the middle
      When the same body is posted again
      Then the post is answered 200

    @needs:read-back
    Scenario: Half a body that is never completed
      Given a post of 10 events to the receiver is cut off in the middle
      When the receiver under test, subscribed to "USER.CREATED"
      And sample event "user-created" happens
      Then every event is read back
      And nothing of the delivery is read back
