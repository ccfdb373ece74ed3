@emitter
Feature: Environment
  Clients read an environment to learn how old it is: in one that is younger than they thought, they ask again.

  @ENV-001
  Rule: An environment tells when it was created

    Scenario: The environment of the suite's own client
      When the environment of the suite's own client is read
      Then the answer is 200 with the time of the environment's creation

    @needs:environments
    Scenario: An environment that was just made
      Given an environment
      When the environment is read
      Then the answer is 200 with the time of the environment's creation
