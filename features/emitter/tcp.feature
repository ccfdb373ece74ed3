@emitter
Feature: TCP
  Instead of HTTPS, a subscription may stream its events over TCP. The service calls this a beta; its documents say how
  such a subscription is configured, and nothing of what goes over the connection. What other features ask of deliveries
  over TCP rests on statements that name no transport, such as that of the filters, and only of a target that claims
  them.

  Background:
    Given an environment

  @TCP-001
  Rule: A TCP subscription is accepted and shown without what belongs to HTTPS

    Scenario: A minimal TCP subscription
      When a TCP subscription is requested
      Then the request is accepted
      And the answer's "protocol" is "TCP_IP"
      And the answer's "connectionDetails.url" is "tcp://hookproof.example:6514"
      And the answer has no "httpEndpoint"
      And the answer has no "format"

    Scenario Outline: A TCP subscription in format <format>
      When a TCP subscription is requested with:
        | payloadOptions.payloadFormat.tcp.format | "<format>" |
      Then the request is accepted
      And the answer's "payloadOptions.payloadFormat.tcp.format" is "<format>"
      And the answer has no "httpEndpoint"

      Examples:
        | format      |
        | JSON_DOC    |
        | RFC_LOGLINE |

  @TCP-002
  Rule: What belongs to HTTPS is refused for a TCP subscription

    Scenario Outline: A TCP subscription with <what>
      When a TCP subscription is requested with:
        | <member> | <value> |
      Then the request is refused

      Examples:
        | what                  | member                                    | value                                       |
        | an HTTPS endpoint     | httpEndpoint                              | {"url":"https://hookproof.example/hooks"}   |
        | a format              | format                                    | "ACTIVITY"                                  |
        | a payload limit       | payloadOptions.maximumPayloadLimit        | {"type":"EVENTS_PER_PAYLOAD","size":100}    |
        | an HTTPS payload form | payloadOptions.payloadFormat.https        | {"format":"JSON_ARRAY"}                     |

  @TCP-003
  Rule: A TCP subscription needs a URL

    Scenario Outline: A TCP subscription without <what>
      When a TCP subscription is requested with:
        | connectionDetails | <value> |
      Then the request is refused

      Examples:
        | what                     | value                         |
        | connection details       | absent                        |
        | a URL in them            | {"headers":{"X-Tenant":"7"}}  |

  @TCP-004
  Rule: Additional attributes belong to log lines

    Scenario: Attributes of log lines are accepted
      When a TCP subscription is requested with:
        | payloadOptions.payloadFormat.tcp.format               | "RFC_LOGLINE"                      |
        | payloadOptions.payloadFormat.tcp.additionalAttributes | {"tenant":"seven","region":"EMEA"} |
      Then the request is accepted
      And the answer's "payloadOptions.payloadFormat.tcp.additionalAttributes.tenant" is "seven"

    Scenario: Attributes of JSON documents are refused
      When a TCP subscription is requested with:
        | payloadOptions.payloadFormat.tcp.format               | "JSON_DOC"         |
        | payloadOptions.payloadFormat.tcp.additionalAttributes | {"tenant":"seven"} |
      Then the request is refused

    Scenario: Attributes without a format are refused
      When a TCP subscription is requested with:
        | payloadOptions.payloadFormat.tcp.additionalAttributes | {"tenant":"seven"} |
      Then the request is refused

  @TCP-005
  Rule: What belongs to TCP is refused for an HTTPS subscription

    Scenario Outline: An HTTPS subscription with the TCP format <format>
      When a subscription is requested with:
        | protocol                                | "HTTPS"    |
        | payloadOptions.payloadFormat.tcp.format | "<format>" |
      Then the request is refused

      Examples:
        | format      |
        | JSON_DOC    |
        | RFC_LOGLINE |
