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

  @RCV-022
  Rule: Whatever was answered 200 can be read back

    Scenario: A thousand and more events
      Given the receiver under test, subscribed to "ACTION.CREATED"
      When 2000 events like sample "action-created-by-system" happen at once
      Then every delivery is answered 200
      And every event is read back

    Scenario: A delivery of two events
      Given the receiver under test, subscribed to "USER.CREATED"
      When 2 events happen at once
      Then every delivery is answered 200
      And every event is read back
