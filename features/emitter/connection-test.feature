@emitter
Feature: Connection test
  Whoever configures a webhook can have its connection tested, without waiting for something to happen.

  Background:
    Given an environment

  @TST-001
  Rule: A connection test is accepted

    Scenario: The test of a minimal subscription
      Given a subscription to "USER.CREATED"
      When the subscription's connection is tested
      Then the test is accepted

    Scenario: The test of a subscription with credentials and filters
      Given population "Staff"
      And a subscription to "USER.CREATED, USER.DELETED" with:
        | header Authorization | Basic aG9va3Byb29mOm9wZW4gc2VzYW1l |
        | populations          | Staff                              |
        | tags                 | adminIdentityEvent                 |
      When the subscription's connection is tested
      Then the test is accepted

  @TST-002
  Rule: A connection test posts an event that tells what it is

    Scenario: The test event of a minimal subscription
      Given a subscription to "USER.CREATED"
      When the subscription's connection is tested
      Then a test event is posted to the receiver

    Scenario: The test event of a subscription with credentials and filters
      Given population "Staff"
      And a subscription to "USER.CREATED, USER.DELETED" with:
        | header Authorization | Basic aG9va3Byb29mOm9wZW4gc2VzYW1l |
        | populations          | Staff                              |
        | tags                 | adminIdentityEvent                 |
      When the subscription's connection is tested
      Then a test event is posted to the receiver

    Scenario: The test event in lines
      Given a subscription to "USER.CREATED" with:
        | body | NDJSON |
      When the subscription's connection is tested
      Then a test event is posted to the receiver
