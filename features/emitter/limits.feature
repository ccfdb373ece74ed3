@emitter
Feature: Limits
  An environment holds at most 50 subscriptions.

  @SUB-LIMIT-051 @whole-environment
  Rule: The 51st subscription is refused

    Scenario: A 51st subscription is refused
      Given an environment with 50 subscriptions
      When a further subscription is created
      Then the answer is 403
