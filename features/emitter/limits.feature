@emitter
Feature: Limits
  An environment holds at most 50 subscriptions; a filter at most 10 applications and 10 populations; a payload at most 500 events or 4096 KB.

  Background:
    Given an environment

  @SUB-LIMIT-050 @whole-environment
  Rule: 50 subscriptions are accepted

    Scenario: A fresh environment takes 50 subscriptions
      When 50 subscriptions are requested
      Then every request is accepted
      When the subscriptions are listed
      Then the list holds 50 subscriptions

    Scenario: A subscription that was refused does not count
      When a subscription is requested with:
        | name | absent |
      And 50 subscriptions are requested
      Then every request is accepted

    @needs:environments
    Scenario: An environment beside a full one is fresh
      Given 50 subscriptions
      And another environment "elsewhere"
      When a subscription is requested in environment "elsewhere"
      Then the request is accepted

  @SUB-LIMIT-051 @whole-environment
  Rule: The 51st subscription is refused

    Scenario: A 51st subscription is refused
      Given 50 subscriptions
      When a subscription is requested
      Then the answer is 403

    Scenario: Of 60 subscriptions requested side by side 10 are refused
      When 60 subscriptions are requested
      Then only 50 of them are accepted

    Scenario: One of 50 is deleted and another made, and one more is refused
      Given 50 subscriptions
      And subscription "subscription 1" is removed
      And a subscription
      When a subscription is requested
      Then the answer is 403

    Scenario: One of 50 is changed, and one more is refused
      Given 50 subscriptions
      And subscription "subscription 7" is changed with:
        | header X-Tenant | seven |
      When a subscription is requested
      Then the answer is 403

    @needs:tcp-ip
    Scenario: A TCP subscription counts as one of 50
      Given 50 subscriptions
      And subscription "subscription 1" is removed
      And a subscription with:
        | protocol              | "TCP_IP"                       |
        | httpEndpoint          | absent                         |
        | format                | absent                         |
        | connectionDetails.url | "tcp://hookproof.example:6514" |
      When a subscription is requested
      Then the answer is 403

    Scenario: The deletion of an unknown subscription makes no room
      Given 50 subscriptions
      When an unknown subscription is deleted
      And a subscription is requested
      Then the answer is 403

    Scenario: One more is refused, and another after it
      Given 50 subscriptions
      And a subscription has been requested and refused
      When a subscription is requested
      Then the answer is 403

  @SUB-LIMIT-052 @whole-environment
  Rule: The refusal of the 51st has the platform's error body

    Scenario: The refusal of a 51st subscription says why
      Given 50 subscriptions
      When a subscription is requested
      Then the answer has the platform's error body

  @SUB-LIMIT-053 @whole-environment
  Rule: A deletion makes room

    Scenario: One of 50 subscriptions is deleted and another takes its place
      Given 50 subscriptions
      And subscription "subscription 1" is removed
      When a subscription is requested
      Then the request is accepted

  @SUB-LIMIT-054 @whole-environment
  Rule: A refused subscription is not there

    Scenario: After the refusal of a 51st subscription the list holds 50
      Given 50 subscriptions
      And a subscription has been requested and refused
      When the subscriptions are listed
      Then the list holds 50 subscriptions

  @SUB-LIMIT-055 @whole-environment
  Rule: Disabled subscriptions count

    Scenario: A 51st subscription is refused though half of the 50 are disabled
      Given 50 subscriptions, every second one disabled
      When a subscription is requested
      Then the request is refused

  @SUB-LIMIT-010A
  Rule: 10 applications can be named

    Scenario: A filter of 10 applications is accepted
      Given 10 applications
      When a subscription is requested for all applications
      Then the request is accepted

  @SUB-LIMIT-011A
  Rule: 11 applications cannot be named

    Scenario: A filter of 11 applications is refused
      Given 11 applications
      When a subscription is requested for all applications
      Then the request is refused

  @SUB-LIMIT-010P
  Rule: 10 populations can be named

    Scenario: A filter of 10 populations is accepted
      Given 10 populations
      When a subscription is requested for all populations
      Then the request is accepted

  @SUB-LIMIT-011P
  Rule: 11 populations cannot be named

    Scenario: A filter of 11 populations is refused
      Given 11 populations
      When a subscription is requested for all populations
      Then the request is refused

  @SUB-LIMIT-010A @SUB-LIMIT-010P
  Rule: Applications and populations are counted apart

    Scenario: A filter of 10 applications and 10 populations is accepted
      Given 10 applications
      And 10 populations
      When a subscription is requested for all applications and populations
      Then the request is accepted

  @SUB-LIMIT-E01
  Rule: A payload of 1 to 500 events can be asked for

    Scenario Outline: A limit of <size> is accepted
      When a subscription is requested with:
        | limit | <size> |
      Then the request is accepted

      Examples:
        | size       |
        | 1 event    |
        | 500 events |

  @SUB-LIMIT-E02
  Rule: No other number of events can be asked for

    Scenario Outline: A limit of <what>, <size> events, is refused
      When a subscription is requested with:
        | limit | <size> events |
      Then the request is refused

      Examples:
        | what         | size |
        | nothing      | 0    |
        | one too many | 501  |
        | less than 0  | -1   |

    Scenario: A replacement with a limit of 501 events is refused
      Given a subscription
      When the subscription is replaced with:
        | limit | 501 events |
      Then the request is refused

    Scenario Outline: A replacement with a limit of <what>, <size> events, is refused
      Given a subscription with:
        | limit | 100 events |
      When the subscription is replaced with:
        | limit | <size> events |
      Then the request is refused

      Examples:
        | what        | size |
        | nothing     | 0    |
        | less than 0 | -1   |

  @SUB-LIMIT-K01
  Rule: A payload of 1 to 4096 KB can be asked for

    Scenario Outline: A limit of <size> KB is accepted
      When a subscription is requested with:
        | limit | <size> KB |
      Then the request is accepted

      Examples:
        | size |
        | 1    |
        | 4096 |

  @SUB-LIMIT-K02
  Rule: No other size can be asked for

    Scenario Outline: A limit of <what>, <size> KB, is refused
      When a subscription is requested with:
        | limit | <size> KB |
      Then the request is refused

      Examples:
        | what            | size |
        | nothing         | 0    |
        | one KB too many | 4097 |

    Scenario: A replacement with a limit of 4097 KB is refused
      Given a subscription
      When the subscription is replaced with:
        | limit | 4097 KB |
      Then the request is refused

    Scenario: A replacement with a limit of 0 KB is refused
      Given a subscription with:
        | limit | 100 KB |
      When the subscription is replaced with:
        | limit | 0 KB |
      Then the request is refused

  @SUB-LIMIT-X01
  Rule: A limit is one of events or of KB

    Scenario Outline: A limit of <what> is refused
      When a subscription is requested with:
        | payloadOptions.maximumPayloadLimit | {"type":"<type>","size":100} |
      Then the request is refused

      Examples:
        | what                 | type              |
        | bytes                | BYTES_PER_PAYLOAD |
        | events by the second | EVENTS_PER_SECOND |

    Scenario: A replacement with a limit of bytes is refused
      Given a subscription
      When the subscription is replaced with:
        | payloadOptions.maximumPayloadLimit | {"type":"BYTES_PER_PAYLOAD","size":100} |
      Then the request is refused

  @SUB-LIMIT-X02
  Rule: Payload options that were not sent do not appear

    Scenario: The answer to a create without payload options has none
      When a subscription is requested with:
        | payloadOptions | absent |
      Then the request is accepted
      And the answer has no "payloadOptions"
