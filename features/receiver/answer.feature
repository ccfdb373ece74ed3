@receiver
Feature: Answers
  The platform sends again until it is answered 200. Any other answer, however well meant, asks for a redelivery.

  @RCV-008
  Rule: Whatever is accepted is answered with exactly 200

    Scenario Outline: Events in the format <format>, in a <body>
      Given the receiver under test, subscribed to "USER.CREATED" with:
        | format | "<format>" |
        | body   | <body>     |
      When 3 events happen at once
      Then whatever is taken is answered 200

      Examples:
        | format   | body          |
        | ACTIVITY | compact array |
        | ACTIVITY | pretty array  |
        | SPLUNK   | compact array |
        | NEWRELIC | compact array |

    @needs:ndjson
    Scenario Outline: Events in the format <format>, in lines
      Given the receiver under test, subscribed to "USER.CREATED" with:
        | format | "<format>" |
        | body   | NDJSON     |
      When 3 events happen at once
      Then whatever is taken is answered 200

      Examples:
        | format   |
        | ACTIVITY |
        | SPLUNK   |
        | NEWRELIC |

    Scenario Outline: <count> events of <size> bytes
      Given the receiver under test, subscribed to "USER.CREATED"
      When <count> events of <size> bytes happen at once
      Then whatever is taken is answered 200

      Examples:
        | count | size   |
        | 1     | 400    |
        | 300   | 400    |
        | 2     | 200000 |

  @RCV-009
  Rule: A redelivery is answered 200 again

    Scenario: The same body comes twice
      Given 3 events are posted to the receiver at once
      When the same body is posted again
      Then the post is answered 200

    Scenario Outline: The same <count> events come twice in <form>
      Given <count> events are posted to the receiver in <form>
      When the same body is posted again
      Then the post is answered 200

      Examples:
        | count | form            |
        | 100   | a compact array |
        | 3     | a pretty array  |

    @needs:ndjson
    Scenario: The same lines come twice
      Given 3 events are posted to the receiver in lines
      When the same body is posted again
      Then the post is answered 200

    Scenario: The same events come again together with later ones
      Given 3 events are posted to the receiver at once
      When the same events are posted again, with 2 more behind them
      Then the post is answered 200

    Scenario: The same events come again behind others
      Given 3 events are posted to the receiver at once
      When the same events are posted again, with 2 more before them
      Then the post is answered 200

    Scenario: The same events come for two subscriptions
      Given the receiver under test, subscribed to "USER.CREATED"
      And the receiver under test, subscribed a second time to "USER.CREATED"
      When 3 events happen at once
      Then every delivery is answered 200

  @RCV-010
  Rule: A delivery is not redirected

    Scenario: Events that are delivered
      Given the receiver under test, subscribed to "USER.CREATED"
      When 3 events happen at once
      Then no delivery is redirected
