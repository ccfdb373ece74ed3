@emitter
Feature: Activities
  What has happened can also be asked for, within a range of dates.

  Background:
    Given an environment

  @ACT-001
  Rule: Activities are listed within a range of dates only

    Background:
      Given the activities of the last hour can be read

    Scenario: The activities of all time
      When the activities are read without a filter
      Then the request is refused

    Scenario: The activities of a type, of all time
      When the activities of type "USER.CREATED" are read without a range of dates
      Then the request is refused

  @ACT-002
  Rule: An activity has a link to itself and tells when it was recorded and created

    Scenario: The activities about a user
      Given a subscription to "USER.CREATED"
      When user "Ada" is created
      And the activities about "Ada" are read
      Then every activity has a link to itself and the times of its recording and creation
