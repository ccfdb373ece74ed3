@receiver
Feature: Completeness and order
  A delivery that was answered 200 is not sent again: what the receiver loses then is lost for good.

  @RCV-021
  Rule: Events are read back in the order of their delivery

    Scenario: Three deliveries, one after the other
      Given the receiver under test, subscribed to "USER.CREATED" with:
        | limit | 20 events |
      When 60 events happen at once
      Then every delivery is answered 200
      And the events are read back in the order of their delivery

    Scenario: A delivery of many events
      Given the receiver under test, subscribed to "USER.CREATED"
      When 300 events happen at once
      Then every delivery is answered 200
      And the events are read back in the order of their delivery

    @needs:ndjson
    Scenario: A delivery in lines
      Given the receiver under test, subscribed to "USER.CREATED" with:
        | body | NDJSON |
      When 20 events happen at once
      Then every delivery is answered 200
      And the events are read back in the order of their delivery

  @RCV-022
  Rule: Whatever was answered 200 can be read back

    Scenario: A thousand and more events
      Given the receiver under test, subscribed to "ACTION.CREATED"
      When 2000 events like sample "action-created-by-system" happen at once
      Then every delivery is answered 200
      And every event is read back

    Scenario: Events that come together with those of a delivery before
      Given 3 events are posted to the receiver at once
      When the same events are posted again, with 2 more behind them
      Then what was posted is read back

    Scenario: A delivery of two events
      Given the receiver under test, subscribed to "USER.CREATED"
      When 2 events happen at once
      Then every delivery is answered 200
      And every event is read back

    Scenario Outline: Events in a <body>
      Given the receiver under test, subscribed to "USER.CREATED" with:
        | body | <body> |
      When 3 events happen at once
      Then every delivery is answered 200
      And every event is read back

      Examples:
        | body          |
        | compact array |
        | pretty array  |

    Scenario: A payload of up to 4096 KB
      Given the receiver under test, subscribed to "USER.CREATED" with:
        | limit | 4096 KB |
      When 4 events of 1048000 bytes happen at once
      Then a delivery of 4190000 to 4194304 bytes is answered 200
      And every event is read back

    Scenario: An event posted in chunks
      When an event is posted to the receiver in chunks
      Then the post is answered 200
      And what was posted is read back

    @needs:ndjson
    Scenario: Events in lines
      Given the receiver under test, subscribed to "USER.CREATED" with:
        | body | NDJSON |
      When 3 events happen at once
      Then every delivery is answered 200
      And every event is read back

    # Whether the platform ends the last line is not documented: to refuse it
    # is no fault of this rule, and to take it and lose it is.
    @needs:ndjson
    Scenario: Lines of which the last has no end
      When 3 events are posted to the receiver in lines, the last without an end
      Then what was posted is read back
