@emitter
Feature: Errors
  A request that fails is answered with a body that says why, to a program and to a person.

  Background:
    Given an environment

  @ERR-001
  Rule: An error body tells a code and a message

    Scenario Outline: The code and the message for a request <refused>
      Given a subscription
      When <request>
      Then the error body has a code and a message

      Examples:
        | refused                         | request                                               |
        | without a name                  | a subscription is requested without its "name"        |
        | in broken JSON                  | a subscription is requested in JSON that is cut short |
        | in plain text                   | a subscription is requested as "text/plain"           |
        | without a token                 | the subscriptions are listed without a token          |
        | with a made-up token            | the subscriptions are listed with a made-up token     |
        | of something unknown            | an unknown subscription is read                       |
        | by a method that is not offered | the subscription is patched                           |

    @needs:environments
    Scenario: The code and the message for a request without the right
      Given another environment "Elsewhere"
      And a worker without roles in environment "Elsewhere"
      When the subscriptions are listed by that worker
      Then the error body has a code and a message

  @ERR-002
  Rule: An error body has an id of its own

    Scenario Outline: The error's id for a request <refused>
      Given a subscription
      When <request>
      Then the error body has an id that is a UUID, where it must have one

      Examples:
        | refused                         | request                                               |
        | without a name                  | a subscription is requested without its "name"        |
        | in broken JSON                  | a subscription is requested in JSON that is cut short |
        | in plain text                   | a subscription is requested as "text/plain"           |
        | without a token                 | the subscriptions are listed without a token          |
        | with a made-up token            | the subscriptions are listed with a made-up token     |
        | of something unknown            | an unknown subscription is read                       |
        | by a method that is not offered | the subscription is patched                           |

    @needs:environments
    Scenario: The error's id for a request without the right
      Given another environment "Elsewhere"
      And a worker without roles in environment "Elsewhere"
      When the subscriptions are listed by that worker
      Then the error body has an id that is a UUID, where it must have one

  @ERR-003
  Rule: The details of an error each tell a code and a message

    Scenario Outline: The details for a request <refused>
      Given a subscription
      When <request>
      Then the details of the error body, if it has any, have codes and messages

      Examples:
        | refused                         | request                                               |
        | without a name                  | a subscription is requested without its "name"        |
        | in broken JSON                  | a subscription is requested in JSON that is cut short |
        | in plain text                   | a subscription is requested as "text/plain"           |
        | without a token                 | the subscriptions are listed without a token          |
        | with a made-up token            | the subscriptions are listed with a made-up token     |
        | of something unknown            | an unknown subscription is read                       |
        | by a method that is not offered | the subscription is patched                           |

    @needs:environments
    Scenario: The details for a request without the right
      Given another environment "Elsewhere"
      And a worker without roles in environment "Elsewhere"
      When the subscriptions are listed by that worker
      Then the details of the error body, if it has any, have codes and messages

  @ERR-004
  Rule: The refusal of invalid data names what is invalid

    Scenario Outline: A create <how> is told so
      When a subscription is requested with:
        | <setting> | <value> |
      Then the refusal has the code "INVALID_DATA" and names "<member>"

      Examples:
        | how                   | setting                           | value                           | member                                  |
        | without a name        | name                              | absent                          | name                                    |
        | without enabled       | enabled                           | absent                          | enabled                                 |
        | without action types  | filterOptions.includedActionTypes | absent                          | filterOptions.includedActionTypes       |
        | with a format unknown | format                            | "PLAIN"                         | format                                  |
        | with a URL in clear   | httpEndpoint.url                  | "http://hookproof.example/hook" | httpEndpoint.url                        |
        | with payloads of 501  | limit                             | 501 events                      | payloadOptions.maximumPayloadLimit.size |

  @ERR-005
  Rule: What there is not is not found

    Scenario Outline: An unknown <resource> is <done>
      When an unknown <resource> is <done>
      Then the answer is 404 with the code "NOT_FOUND"

      Examples:
        | resource     | done     |
        | subscription | read     |
        | subscription | replaced |
        | subscription | deleted  |
        | user         | read     |
        | population   | read     |
        | application  | read     |

      @needs:environments
      Examples:
        | resource    | done |
        | environment | read |

  @ERR-006
  Rule: A create that fails leaves nothing behind

    Scenario Outline: A create <how> leaves nothing behind
      When a subscription is requested with:
        | <setting> | <value> |
      Then nothing of what was refused is listed

      Examples:
        | how                   | setting          | value                           |
        | without enabled       | enabled          | absent                          |
        | with a format unknown | format           | "PLAIN"                         |
        | with a URL in clear   | httpEndpoint.url | "http://hookproof.example/hook" |
        | with payloads of 501  | limit            | 501 events                      |

    Scenario: A create in broken JSON leaves nothing behind
      When a subscription is requested in JSON that is followed by more
      Then nothing of what was refused is listed
