@emitter
Feature: Suspension
  A subscription that is disabled delivers nothing. Its events accumulate, for two weeks, and are delivered once it is
  enabled again.

  Background:
    Given an environment

  @SUS-001
  Rule: Events of a suspended subscription are kept until it is enabled

    Scenario: Switched off and on again
      Given a subscription "watch" to "USER.CREATED" at receiver "sink"
      And a subscription "witness" to "USER.CREATED" at receiver "beside"
      When user "Ada" is created
      Then the event of "Ada" is delivered to "sink"
      When subscription "watch" is switched off
      And users "Bob" and "Cleo" are created
      Then the events of "Bob" and "Cleo" are delivered to "beside"
      When subscription "watch" is switched on
      Then all events are sent to "sink" until they are acknowledged

    Scenario: Disabled from the beginning
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | enabled | false |
      And a subscription "witness" to "USER.CREATED" at receiver "beside"
      When users "Ada" and "Bob" are created
      Then the events of "Ada" and "Bob" are delivered to "beside"
      When subscription "watch" is switched on
      Then all events are sent to "sink" until they are acknowledged

    @needs:post-events @whole-environment
    Scenario: Hundreds of events
      Given a subscription "watch" to "USER.CREATED" at receiver "sink"
      When subscription "watch" is switched off
      And 700 events happen at once
      And subscription "watch" is switched on
      Then all events are sent to "sink" until they are acknowledged

    @needs:post-events @whole-environment
    Scenario: Thousands of events
      Given a subscription "watch" to "USER.CREATED" at receiver "sink"
      When subscription "watch" is switched off
      And 5000 events happen at once
      And subscription "watch" is switched on
      Then all events are sent to "sink" until they are acknowledged

    Scenario: Switched off and on twice
      Given a subscription "watch" to "USER.CREATED" at receiver "sink"
      When subscription "watch" is switched off
      And user "Ada" is created
      And subscription "watch" is switched on
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      When subscription "watch" is switched off
      And users "Bob" and "Cleo" are created
      And subscription "watch" is switched on
      Then all events are sent to "sink" until they are acknowledged

    Scenario Outline: The <what> of the subscription is changed while it is off
      Given a subscription "watch" to "USER.CREATED" at receiver "sink"
      When subscription "watch" is switched off
      And users "Ada" and "Bob" are created
      And subscription "watch" is changed with:
        | <setting> | <value> |
      And user "Cleo" is created
      And subscription "watch" is switched on
      Then all events are sent to "sink" until they are acknowledged

      Examples:
        | what  | setting | value   |
        | name  | name    | another |
        | limit | limit   | 1 event |

    Scenario: The subscription is moved while it is off
      Given a subscription "watch" to "USER.CREATED" at receiver "sink"
      When subscription "watch" is switched off
      And users "Ada" and "Bob" are created
      And subscription "watch" is moved to a receiver "new"
      And subscription "watch" is switched on
      Then all events are sent to "new" or "sink" until they are acknowledged

    Scenario: Suspended during a retry
      Given a receiver "sink" that answers 500
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then delivery to "sink" fails once or more
      When subscription "watch" is switched off
      And user "Bob" is created
      And receiver "sink" recovers
      And subscription "watch" is switched on
      Then all events are sent to "sink" until they are acknowledged

    @needs:clock-control @whole-target
    Scenario: Almost two weeks
      Given a subscription "watch" to "USER.CREATED" at receiver "sink"
      When subscription "watch" is switched off
      And users "Ada" and "Bob" are created
      And the target's clock is advanced by 13 days and 23 hours
      And subscription "watch" is switched on
      Then all events are sent to "sink" until they are acknowledged

  @SUS-002 @whole-target
  Rule: Events that waited in a suspended subscription for more than 14 days are not delivered

    Scenario: More than two weeks
      Given a subscription "watch" to "USER.CREATED" at receiver "sink"
      When subscription "watch" is switched off
      And user "Ada" is created
      And the target's clock is advanced by 14 days and 1 hour
      And user "Bob" is created
      And subscription "watch" is switched on
      Then the event of "Bob" is sent to "sink" until it is acknowledged
      When user "Cleo" is created
      Then only the events of "Bob" and "Cleo" are delivered to "sink"

    Scenario: Disabled from the beginning for more than two weeks
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | enabled | false |
      When user "Ada" is created
      And the target's clock is advanced by 15 days
      And subscription "watch" is switched on
      And user "Bob" is created
      Then only the event of "Bob" is delivered to "sink"

  @SUS-003
  Rule: A subscription that was created disabled delivers nothing until it is enabled

    Scenario: Events before it is enabled
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | enabled | false |
      And a subscription "witness" to "USER.CREATED" at receiver "beside"
      When users "Ada", "Bob" and "Cleo" are created, each after the one before has come to "beside"
      Then nothing is sent to "sink"

    Scenario: Events before it is enabled, after it was renamed
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | enabled | false |
      And a subscription "witness" to "USER.CREATED" at receiver "beside"
      When subscription "watch" is changed with:
        | name | another |
      And users "Ada" and "Bob" are created, each after the one before has come to "beside"
      Then nothing is sent to "sink"

  @SUS-004
  Rule: Disabling ends a retry

    Scenario: A receiver that fails
      Given a receiver "sink" that answers 500
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      And a subscription "witness" to "USER.CREATED" at receiver "beside"
      When user "Ada" is created
      Then delivery to "sink" fails 2 times or more
      When subscription "watch" is switched off
      And users "Bob", "Cleo", "Dora", "Emil", "Fay" and "Gus" are created, each after the one before has come to "beside"
      Then nothing is sent to "sink" after the event of "Dora" has come to "beside"
