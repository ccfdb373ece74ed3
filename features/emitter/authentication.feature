@emitter
Feature: Authentication
  Whoever asks shows an access token, which client credentials yield. That a token ends with its time is not observed:
  that takes an hour, or a clock whose advance would end the tokens of everything that runs beside it.

  Background:
    Given an environment

  @AUT-001
  Rule: Nothing is served without an access token

    Scenario Outline: Without a token, <request>
      Given a subscription
      When <request> without a token
      Then the answer is 401

      Examples:
        | request                      |
        | the environment is read      |
        | the subscriptions are listed |
        | the subscription is read     |
        | a subscription is requested  |
        | the subscription is replaced |
        | the subscription is deleted  |
        | a user is created            |

      @needs:certificates
      Examples:
        | request                   |
        | a key is imported         |
        | a certificate is uploaded |
        | an unknown key is deleted |

      Examples:
        | request                                 |
        | a population is created                 |
        | an application is created               |
        | an unknown user is deleted              |
        | an unknown population is deleted        |
        | an unknown application is deleted       |
        | an unknown application's secret is read |

      @needs:environments
      Examples:
        | request                           |
        | an unknown environment is deleted |

      @needs:activities
      Examples:
        | request                 |
        | the activities are read |

      @needs:connection-test
      Examples:
        | request                                 |
        | the subscription's connection is tested |

  @AUT-002
  Rule: Nothing is served for an access token that is not valid

    Scenario Outline: With a made-up token, <request>
      Given a subscription
      When <request> with a made-up token
      Then the answer is 401 with the code "ACCESS_FAILED"

      Examples:
        | request                      |
        | the environment is read      |
        | the subscriptions are listed |
        | the subscription is read     |
        | a subscription is requested  |
        | the subscription is replaced |
        | the subscription is deleted  |
        | a user is created            |

      @needs:certificates
      Examples:
        | request           |
        | a key is imported |

      @needs:connection-test
      Examples:
        | request                                 |
        | the subscription's connection is tested |

    Scenario Outline: With a token that was altered, <request>
      When <request> with a token that was altered
      Then the answer is 401 with the code "ACCESS_FAILED"

      Examples:
        | request                      |
        | the subscriptions are listed |
        | a subscription is requested  |

  @AUT-003 @needs:environments
  Rule: A token opens nothing that its client has no right to

    Scenario Outline: Without the right, <request>
      Given a subscription
      And another environment "Elsewhere"
      And a worker without roles in environment "Elsewhere"
      When <request> by that worker
      Then the answer is 403 with the code "ACCESS_FAILED"

      Examples:
        | request                      |
        | the environment is read      |
        | the subscriptions are listed |
        | the subscription is read     |
        | a subscription is requested  |
        | the subscription is replaced |
        | the subscription is deleted  |
        | a user is created            |

      @needs:certificates
      Examples:
        | request           |
        | a key is imported |

      @needs:connection-test
      Examples:
        | request                                 |
        | the subscription's connection is tested |

  @AUT-004
  Rule: Client credentials yield a token that the API accepts

    Scenario: The suite's own client asks for a token
      When the suite's own client asks for a token
      Then the answer is a bearer token
      And the API accepts the token

    Scenario: An application that was just made asks for a token
      When a worker asks for a token
      Then the answer is a bearer token
      And the API accepts the token
