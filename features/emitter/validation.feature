@emitter
Feature: Validation
  A create must hold what is required, and nothing that no subscription can be; options that are left out stay out.

  Background:
    Given an environment

  @SUB-REQ-001
  Rule: A name is required

    Scenario: A create without a name is refused
      When a subscription is requested with:
        | name | absent |
      Then the request is refused

  @SUB-REQ-002
  Rule: The included action types are required

    Scenario Outline: A create without <what> is refused
      When a subscription is requested with:
        | <member> | absent |
      Then the request is refused

      Examples:
        | what                      | member                            |
        | filter options            | filterOptions                     |
        | the included action types | filterOptions.includedActionTypes |

  @SUB-REQ-003
  Rule: At least one action type is included

    Scenario: A create with an empty list of action types is refused
      When a subscription is requested with:
        | filterOptions.includedActionTypes | [] |
      Then the request is refused

  @SUB-REQ-004
  Rule: An HTTPS subscription needs a URL

    Scenario Outline: A create without <what> is refused
      When a subscription is requested with:
        | protocol        | "HTTPS" |
        | header X-Tenant | seven   |
        | <member>        | absent  |
      Then the request is refused

      Examples:
        | what                  | member           |
        | an endpoint           | httpEndpoint     |
        | a URL in the endpoint | httpEndpoint.url |

  @SUB-REQ-005
  Rule: Whether it is enabled is required

    Scenario: A create without enabled is refused
      When a subscription is requested with:
        | enabled | absent |
      Then the request is refused

  @SUB-REQ-006
  Rule: Whether certificates are verified is required

    Scenario: A create without verifyTlsCertificates is refused
      When a subscription is requested with:
        | verifyTlsCertificates | absent |
      Then the request is refused

  @SUB-REQ-007
  Rule: Headers are optional

    Scenario: A create without headers is accepted, and none appear
      When a subscription is requested with:
        | httpEndpoint.headers | absent |
      Then the request is accepted
      And the answer has no "httpEndpoint.headers"

  @SUB-REQ-008
  Rule: The format is optional

    Scenario: A create without a format is accepted, and none appears
      When a subscription is requested with:
        | format | absent |
      Then the request is accepted
      And the answer has no "format"

  @SUB-REQ-009
  Rule: The formats are ACTIVITY, SPLUNK and NEWRELIC

    Scenario Outline: A create with <what> as format is refused
      When a subscription is requested with:
        | format | "<format>" |
      Then the request is refused

      Examples:
        | what                 | format   |
        | an unknown word      | CEF      |
        | lower case           | activity |
        | the beginning of one | SPLUN    |
        | nothing              |          |

  @SUB-REQ-010
  Rule: The URL is an HTTPS URL

    Scenario Outline: A create with a URL of <what> is refused
      When a subscription is requested with:
        | httpEndpoint.url | "<url>" |
      Then the request is refused

      Examples:
        | what                       | url                                |
        | plain HTTP                 | http://hookproof.example/hooks     |
        | plain HTTP at the TLS port | http://hookproof.example:443/hooks |
        | plain HTTP in capitals     | HTTP://hookproof.example/hooks     |

  @SUB-REQ-011
  Rule: The URL is a URL

    Scenario Outline: A create with <what> for a URL is refused
      When a subscription is requested with:
        | httpEndpoint.url | "<url>" |
      Then the request is refused

      Examples:
        | what                  | url                     |
        | nothing               |                         |
        | words                 | not a URL               |
        | a host without scheme | hookproof.example/hooks |
        | a scheme without host | https://                |

  @SUB-REQ-013
  Rule: Deliveries go to the port of the URL

    Scenario: An event arrives at a port of the receiver's choice
      Given a receiver on a port that is its own
      When a subscription is requested with:
        | receiver | receiver |
      Then the request is accepted
      When user "Ann" is created
      Then the event of "Ann" is delivered

  @SUB-REQ-014
  Rule: A name has at least one character

    Scenario: A create with an empty name is refused
      When a subscription is requested with:
        | name | "" |
      Then the request is refused

  @SUB-REQ-015
  Rule: Only known tags can be included

    Scenario Outline: A create with <what> is refused
      When a subscription is requested with:
        | filterOptions.includedTags | <tags> |
      Then the request is refused

      Examples:
        | what                          | tags                                    |
        | an unknown tag                | ["someOtherEvent"]                      |
        | an unknown tag beside a known | ["adminIdentityEvent","someOtherEvent"] |

  @SUB-REQ-016
  Rule: The tag adminIdentityEvent is known

    Scenario: A create with the tag is accepted and repeats it
      When a subscription is requested with:
        | tags | adminIdentityEvent |
      Then the request is accepted
      And the answer repeats what was sent

  @SUB-REQ-017
  Rule: What is to be exposed is repeated

    Scenario: Both opt-ins are true where both were sent as true
      When a subscription is requested with:
        | exposes | IP address and user agent |
      Then the answer's "filterOptions.ipAddressExposed" is true
      And the answer's "filterOptions.userAgentExposed" is true

    Scenario: The opt-in to IP addresses is true without the other
      When a subscription is requested with:
        | filterOptions.ipAddressExposed | true |
      Then the answer's "filterOptions.ipAddressExposed" is true

    Scenario: The opt-in to user agents is true without the other
      When a subscription is requested with:
        | filterOptions.userAgentExposed | true |
      Then the answer's "filterOptions.userAgentExposed" is true

  @SUB-REQ-018
  Rule: Nothing is exposed that was not asked for

    Scenario: Opt-ins that were not sent read as false
      When a subscription is requested with:
        | filterOptions.ipAddressExposed | absent |
        | filterOptions.userAgentExposed | absent |
      Then the request is accepted
      And the answer's "filterOptions.ipAddressExposed" is false or absent
      And the answer's "filterOptions.userAgentExposed" is false or absent

    Scenario: Opt-ins that were not sent expose nothing
      Given a subscription to "USER.CREATED" with:
        | filterOptions.ipAddressExposed | absent |
        | filterOptions.userAgentExposed | absent |
      When user "Ann" is created by a client with an unmistakable user agent
      Then the event of "Ann" is delivered
      And the event of "Ann" hides the IP address
      And the event of "Ann" hides the user agent

  @SUB-REQ-019
  Rule: The connection details repeat the URL

    Scenario: The URL of the connection is that of the endpoint
      When a subscription is requested with:
        | protocol | "HTTPS" |
      Then the answer's "connectionDetails.url" equals its "httpEndpoint.url"

    Scenario: The URL of the connection follows that of the endpoint
      Given a subscription with:
        | protocol | "HTTPS" |
      When the subscription is replaced with:
        | protocol         | "HTTPS"                               |
        | httpEndpoint.url | "https://hookproof.example/elsewhere" |
      Then it reads as it was sent
      And the answer's "connectionDetails.url" equals its "httpEndpoint.url"

  @SUB-REQ-020
  Rule: The connection details repeat the headers

    Scenario: The headers of the connection are those of the endpoint
      When a subscription is requested with:
        | protocol             | "HTTPS"                            |
        | header Authorization | Basic aG9va3Byb29mOm9wZW4gc2VzYW1l |
        | header X-Tenant      | seven                              |
      Then the answer's "connectionDetails.headers" equals its "httpEndpoint.headers"

    Scenario: The headers of the connection follow those of the endpoint
      Given a subscription with:
        | header X-Tenant | seven |
        | header X-Old    | old   |
      When the subscription is replaced with:
        | header X-Tenant | eight |
      Then it reads as it was sent
      And the answer's "connectionDetails.headers" equals its "httpEndpoint.headers"

  @SUB-REQ-021
  Rule: The connection details cannot contradict the endpoint

    Scenario: A create with another URL in the connection details is refused
      When a subscription is requested with:
        | protocol              | "HTTPS"                            |
        | httpEndpoint.url      | "https://hookproof.example/hooks"  |
        | connectionDetails.url | "https://elsewhere.example/others" |
      Then the request is refused

  @SUB-REQ-022
  Rule: HTTPS is the protocol where none is named

    Scenario: A create without a protocol is one of HTTPS
      When a subscription is requested with:
        | protocol | absent |
      Then the request is accepted
      And the answer's "protocol" is "HTTPS" or absent

  @SUB-REQ-023
  Rule: The protocols are HTTPS and TCP_IP

    Scenario Outline: A create with <what> as protocol is refused
      When a subscription is requested with:
        | protocol | "<protocol>" |
      Then the request is refused

      Examples:
        | what            | protocol |
        | plain HTTP      | HTTP     |
        | an unknown word | SYSLOG   |
        | lower case      | https    |

  @SUB-REQ-024
  Rule: A create is JSON

    Scenario Outline: A create in JSON that <is wrong> is refused
      When a subscription is requested in JSON that <is wrong>
      Then the request is refused

      Examples:
        | is wrong                  |
        | is cut short              |
        | has a trailing comma      |
        | has a name without quotes |
        | is followed by more       |

  @SUB-REQ-025
  Rule: A create says that it is JSON

    Scenario Outline: A create as <type> is refused
      When a subscription is requested as "<type>"
      Then the request is refused

      Examples:
        | type                              |
        | text/plain                        |
        | application/xml                   |
        | application/x-www-form-urlencoded |

  @SUB-REQ-026
  Rule: The value of a header is a string

    Scenario Outline: A create with <what> for the value of a header is refused
      When a subscription is requested with:
        | httpEndpoint.headers.X-Tenant | <value> |
      Then the request is refused

      Examples:
        | what      | value     |
        | a number  | 7         |
        | a boolean | true      |
        | a list    | ["seven"] |
        | an object | {"a":"b"} |
