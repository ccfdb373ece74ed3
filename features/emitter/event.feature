@emitter
Feature: Event
  What an audit event holds: who did what to which resource, when, and how it ended; and as much of where it came from
  as the subscription asks for.

  Background:
    Given an environment

  Rule: An event can be told from every other, and tells when it was recorded

    @EVT-001
    Scenario: The ids of several events
      Given a subscription to "USER.CREATED, USER.DELETED"
      When users "Ada", "Bob" and "Cleo" are created
      And user "Ada" is deleted
      Then the events of "Ada", "Bob", "Cleo" and "deletion of Ada" are delivered
      And every event has an id that no other event has

    @EVT-001 @needs:environments
    Scenario: The ids of events in two environments
      Given another environment "elsewhere"
      And a subscription to "USER.CREATED"
      And a subscription in environment "elsewhere" to "USER.CREATED" at receiver "beside"
      When user "Ada" is created
      And user "Eve" is created in environment "elsewhere"
      Then the event of "Ada" is delivered
      And the event of "Eve" is delivered to "beside"
      And every event has an id that no other event has

    @EVT-002
    Scenario: The time of an event
      Given a subscription to "USER.CREATED"
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And every event has the time when it was recorded, in UTC

    @EVT-011
    Scenario: The correlation id of an event
      Given a subscription to "USER.CREATED, USER.DELETED"
      When user "Ada" is created
      And user "Ada" is deleted
      Then the events of "Ada" and "deletion of Ada" are delivered
      And every event has a correlation id

  Rule: An event tells what was done and how it ended

    @EVT-003
    Scenario: The type of an event
      Given a subscription to "USER.CREATED, USER.DELETED"
      When user "Ada" is created
      And population "Staff" is created
      And user "Ada" is deleted
      Then the events of "Ada" and "deletion of Ada" are delivered
      And every event is of type "USER.CREATED, USER.DELETED"

    @EVT-004
    Scenario: The description of an action
      Given a subscription to "USER.CREATED, POPULATION.CREATED"
      When user "Ada" is created
      And population "Staff" is created
      Then the events of "Ada" and "Staff" are delivered
      And every event describes its action

    @EVT-005
    Scenario: The result of actions that succeeded
      Given a subscription to "USER.CREATED, USER.DELETED"
      When user "Ada" is created
      And user "Ada" is deleted
      Then the events of "Ada" and "deletion of Ada" are delivered
      And every event tells that its action succeeded

  Rule: An event names what it is about

    @EVT-006
    Scenario: The resources of events of several kinds
      Given a subscription to "USER.CREATED, USER.DELETED, POPULATION.CREATED"
      When user "Ada" is created
      And user "Ada" is deleted
      And population "Staff" is created
      Then the events of "Ada", "deletion of Ada" and "Staff" are delivered
      And every event names the resources it is about

    @EVT-007
    Scenario: The user of an event
      Given populations "Staff"
      And a subscription to "USER.CREATED"
      When user "Ada" is created in population "Staff"
      And user "Bob" is created
      Then the events of "Ada" and "Bob" are delivered
      And the event of "Ada" names the user as the API does
      And the event of "Bob" names the user as the API does

    @EVT-008
    Scenario: The environment of an event
      Given a subscription to "USER.CREATED, POPULATION.CREATED"
      When user "Ada" is created
      And population "Staff" is created
      Then the events of "Ada" and "Staff" are delivered
      And every event names the scenario's environment

    @EVT-009
    Scenario: The client that caused an event
      Given a subscription to "USER.CREATED, USER.DELETED"
      When user "Ada" is created
      And user "Ada" is deleted
      Then the events of "Ada" and "deletion of Ada" are delivered
      And every event names the client that caused it

  @EVT-012
  Rule: Without the opt-in, the caller's IP address is nowhere

    Scenario Outline: A change by API to a subscription that exposes <exposed> hides the IP address
      Given a subscription to "USER.CREATED" with:
        | exposes | <exposed> |
      When user "Ada" is created by a client with an unmistakable user agent
      Then the event of "Ada" is delivered
      And the event of "Ada" hides the IP address

      Examples:
        | exposed    |
        | nothing    |
        | user agent |

    Scenario: A change by API to a subscription without opt-ins hides the IP address
      Given a subscription to "USER.CREATED"
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And the event of "Ada" hides the IP address

    @needs:post-events
    Scenario Outline: An event posted to a subscription that exposes <exposed> hides the IP address
      Given a subscription to "USER.CREATED" with:
        | exposes | <exposed> |
      When event "posted" happens at address "203.0.113.86" with an unmistakable user agent
      Then the event of "posted" is delivered
      And the event of "posted" hides the IP address

      Examples:
        | exposed    |
        | nothing    |
        | user agent |

    Scenario: Events of several kinds hide the IP address
      Given a subscription to "USER.CREATED, USER.DELETED, POPULATION.CREATED"
      When user "Ada" is created
      And user "Ada" is deleted
      And population "Staff" is created
      And 5 users are created at once
      Then every event is delivered
      And every event hides the IP address

    @needs:connection-test
    Scenario: What a connection test sends hides the IP address
      Given a subscription to "USER.CREATED"
      When the subscription's connection is tested
      And user "Ada" is created
      Then the event of "Ada" is delivered
      And every event hides the IP address

    Scenario Outline: Events as <body> hide the IP address
      Given a subscription to "USER.CREATED" with:
        | body  | <body>   |
        | limit | 4 events |
      When 5 users are created at once
      Then every event is delivered
      And every event hides the IP address

      Examples:
        | body         |
        | array        |
        | pretty array |
        | NDJSON       |

    @needs:post-events
    Scenario Outline: In format <format> as <body>, exposing <exposed>, nothing tells the IP address
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | format  | "<format>" |
        | body    | <body>     |
        | exposes | <exposed>  |
      When event "posted" happens at address "203.0.113.86" with an unmistakable user agent
      Then what comes to "sink" hides the IP address of "posted"

      Examples:
        | format   | body         | exposed    |
        | SPLUNK   | array        | nothing    |
        | SPLUNK   | NDJSON       | user agent |
        | NEWRELIC | array        | nothing    |
        | NEWRELIC | pretty array | user agent |

    @needs:post-events @needs:tcp-ip @needs:tcp-delivery
    Scenario: Over TCP nothing tells the IP address
      Given a TCP subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | payloadOptions.payloadFormat.tcp.format | "JSON_DOC" |
      When event "posted" happens at address "203.0.113.86" with an unmistakable user agent
      Then what comes to "sink" hides the IP address of "posted"

    @needs:post-events @needs:tcp-ip @needs:tcp-delivery
    Scenario Outline: Over TCP in format <format>, exposing <exposed>, nothing tells the IP address
      Given a TCP subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | payloadOptions.payloadFormat.tcp.format | "<format>" |
        | exposes                                 | <exposed>  |
      When event "posted" happens at address "203.0.113.86" with an unmistakable user agent
      Then the data of "posted" has come to "sink"
      And what comes to "sink" hides the IP address of "posted"

      Examples:
        | format      | exposed    |
        | JSON_DOC    | user agent |
        | RFC_LOGLINE | nothing    |

    Scenario: The opt-in to IP addresses is taken back
      Given a subscription to "USER.CREATED" with:
        | exposes | IP address and user agent |
      And a first event has been delivered
      When the subscription is changed with:
        | exposes | user agent |
      And user "Bob" is created
      Then the event of "Bob" is delivered
      And the event of "Bob" hides the IP address

  @EVT-013
  Rule: Without the opt-in, the caller's user agent is nowhere

    Scenario Outline: A change by API to a subscription that exposes <exposed> hides the user agent
      Given a subscription to "USER.CREATED" with:
        | exposes | <exposed> |
      When user "Ada" is created by a client with an unmistakable user agent
      Then the event of "Ada" is delivered
      And the event of "Ada" hides the user agent

      Examples:
        | exposed    |
        | nothing    |
        | IP address |

    Scenario: A change by API to a subscription without opt-ins hides the user agent
      Given a subscription to "USER.CREATED"
      When user "Ada" is created by a client with an unmistakable user agent
      Then the event of "Ada" is delivered
      And the event of "Ada" hides the user agent

    @needs:post-events
    Scenario Outline: An event posted to a subscription that exposes <exposed> hides the user agent
      Given a subscription to "USER.CREATED" with:
        | exposes | <exposed> |
      When event "posted" happens at address "203.0.113.86" with an unmistakable user agent
      Then the event of "posted" is delivered
      And the event of "posted" hides the user agent

      Examples:
        | exposed    |
        | nothing    |
        | IP address |

    Scenario: Events of several kinds hide the user agent
      Given every call is made with an unmistakable user agent
      And a subscription to "USER.CREATED, USER.DELETED, POPULATION.CREATED"
      When user "Ada" is created
      And user "Ada" is deleted
      And population "Staff" is created
      And 5 users are created at once
      Then every event is delivered
      And every event hides the user agent

    @needs:connection-test
    Scenario: What a connection test sends hides the user agent
      Given every call is made with an unmistakable user agent
      And a subscription to "USER.CREATED"
      When the subscription's connection is tested
      And user "Ada" is created
      Then the event of "Ada" is delivered
      And every event hides the user agent

    Scenario Outline: Events as <body> hide the user agent
      Given every call is made with an unmistakable user agent
      And a subscription to "USER.CREATED" with:
        | body  | <body>   |
        | limit | 4 events |
      When 5 users are created at once
      Then every event is delivered
      And every event hides the user agent

      Examples:
        | body         |
        | array        |
        | pretty array |
        | NDJSON       |

    @needs:post-events
    Scenario Outline: In format <format> as <body>, exposing <exposed>, nothing tells the user agent
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | format  | "<format>" |
        | body    | <body>     |
        | exposes | <exposed>  |
      When event "posted" happens at address "203.0.113.86" with an unmistakable user agent
      Then what comes to "sink" hides the user agent of "posted"

      Examples:
        | format   | body         | exposed    |
        | SPLUNK   | array        | nothing    |
        | SPLUNK   | NDJSON       | IP address |
        | NEWRELIC | array        | nothing    |
        | NEWRELIC | pretty array | IP address |

    @needs:post-events @needs:tcp-ip @needs:tcp-delivery
    Scenario: Over TCP nothing tells the user agent
      Given a TCP subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | payloadOptions.payloadFormat.tcp.format | "JSON_DOC" |
      When event "posted" happens at address "203.0.113.86" with an unmistakable user agent
      Then what comes to "sink" hides the user agent of "posted"

    @needs:post-events @needs:tcp-ip @needs:tcp-delivery
    Scenario Outline: Over TCP in format <format>, exposing <exposed>, nothing tells the user agent
      Given a TCP subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | payloadOptions.payloadFormat.tcp.format | "<format>" |
        | exposes                                 | <exposed>  |
      When event "posted" happens at address "203.0.113.86" with an unmistakable user agent
      Then the data of "posted" has come to "sink"
      And what comes to "sink" hides the user agent of "posted"

      Examples:
        | format      | exposed    |
        | JSON_DOC    | IP address |
        | RFC_LOGLINE | nothing    |

    Scenario: The opt-in to user agents is taken back
      Given a subscription to "USER.CREATED" with:
        | exposes | IP address and user agent |
      And a first event has been delivered
      When the subscription is changed with:
        | exposes | IP address |
      And user "Bob" is created by a client with an unmistakable user agent
      Then the event of "Bob" is delivered
      And the event of "Bob" hides the user agent

  @EVT-014
  Rule: With the opt-in, the user agent stands in the event as it was sent

    Scenario Outline: A change by API to a subscription that exposes <exposed> shows the user agent
      Given a subscription to "USER.CREATED" with:
        | exposes | <exposed> |
      When user "Ada" is created by a client with an unmistakable user agent
      Then the event of "Ada" is delivered
      And the event of "Ada" shows the user agent

      Examples:
        | exposed                   |
        | user agent                |
        | IP address and user agent |

    @needs:post-events
    Scenario Outline: An event posted to a subscription that exposes <exposed> shows the user agent
      Given a subscription to "USER.CREATED" with:
        | exposes | <exposed> |
      When event "posted" happens at address "203.0.113.86" with an unmistakable user agent
      Then the event of "posted" is delivered
      And the event of "posted" shows the user agent

      Examples:
        | exposed                   |
        | user agent                |
        | IP address and user agent |

    Scenario Outline: Events as <body> show the user agent
      Given a subscription to "USER.CREATED" with:
        | body    | <body>     |
        | exposes | user agent |
      When user "Ada" is created by a client with an unmistakable user agent
      Then the event of "Ada" is delivered
      And the event of "Ada" shows the user agent

      Examples:
        | body         |
        | pretty array |
        | NDJSON       |

    Scenario: A long user agent is not cut
      Given a subscription to "USER.CREATED" with:
        | exposes | user agent |
      When user "Ada" is created by a client with a user agent of 300 characters
      Then the event of "Ada" is delivered
      And the event of "Ada" shows the user agent

    Scenario: The opt-in to user agents is given later
      Given a subscription to "USER.CREATED"
      And a first event has been delivered
      When the subscription is changed with:
        | exposes | user agent |
      And user "Bob" is created by a client with an unmistakable user agent
      Then the event of "Bob" is delivered
      And the event of "Bob" shows the user agent

  @EVT-015
  Rule: With the opt-in, the IP address stands in the event

    Scenario Outline: A change by API to a subscription that exposes <exposed> shows the IP address
      Given a subscription to "USER.CREATED" with:
        | exposes | <exposed> |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And the event of "Ada" shows the IP address

      Examples:
        | exposed                   |
        | IP address                |
        | IP address and user agent |

    @needs:post-events
    Scenario Outline: An event posted to a subscription that exposes <exposed> shows the IP address
      Given a subscription to "USER.CREATED" with:
        | exposes | <exposed> |
      When event "posted" happens at address "203.0.113.86" with an unmistakable user agent
      Then the event of "posted" is delivered
      And the event of "posted" shows the IP address

      Examples:
        | exposed                   |
        | IP address                |
        | IP address and user agent |

    Scenario Outline: Events as <body> show the IP address
      Given a subscription to "USER.CREATED" with:
        | body    | <body>     |
        | exposes | IP address |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And the event of "Ada" shows the IP address

      Examples:
        | body         |
        | pretty array |
        | NDJSON       |

    @needs:post-events
    Scenario: In format SPLUNK an event in a record shows the IP address
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | format  | "SPLUNK"   |
        | exposes | IP address |
      When event "posted" happens at address "203.0.113.86" with an unmistakable user agent
      Then the event of "posted" in its record at "sink" shows the IP address

    Scenario: The opt-in to IP addresses is given later
      Given a subscription to "USER.CREATED"
      And a first event has been delivered
      When the subscription is changed with:
        | exposes | IP address |
      And user "Bob" is created
      Then the event of "Bob" is delivered
      And the event of "Bob" shows the IP address

  @EVT-016
  Rule: Each opt-in works without the other

    Scenario Outline: A change by API, exposing <exposed>
      Given a subscription to "USER.CREATED" with:
        | exposes | <exposed> |
      When user "Ada" is created by a client with an unmistakable user agent
      Then the event of "Ada" is delivered
      And the event of "Ada" <address> the IP address
      And the event of "Ada" <agent> the user agent

      Examples:
        | exposed                   | address | agent |
        | nothing                   | hides   | hides |
        | IP address                | shows   | hides |
        | user agent                | hides   | shows |
        | IP address and user agent | shows   | shows |

    @needs:post-events
    Scenario Outline: A posted event, exposing <exposed>
      Given a subscription to "USER.CREATED" with:
        | exposes | <exposed> |
      When event "posted" happens at address "203.0.113.86" with an unmistakable user agent
      Then the event of "posted" is delivered
      And the event of "posted" <address> the IP address
      And the event of "posted" <agent> the user agent

      Examples:
        | exposed                   | address | agent |
        | nothing                   | hides   | hides |
        | IP address                | shows   | hides |
        | user agent                | hides   | shows |
        | IP address and user agent | shows   | shows |

  @EVT-017
  Rule: What is done to an administrator's identity is tagged

    @needs:post-events
    Scenario: A tagged and an untagged event
      Given a subscription to "USER.UPDATED"
      When these events happen:
        | event    | type         | tag                |
        | tagged   | USER.UPDATED | adminIdentityEvent |
        | untagged | USER.UPDATED |                    |
      Then the events of "tagged" and "untagged" are delivered
      And the event of "tagged" is tagged as one of an administrator's identity
      And the event of "untagged" is not tagged as one of an administrator's identity

    Scenario: An ordinary user is not tagged
      Given a subscription to "USER.CREATED"
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And the event of "Ada" is not tagged as one of an administrator's identity

  @EVT-018
  Rule: A delivered event is also found among the activities

    Scenario: A user is created
      Given a subscription to "USER.CREATED"
      When user "Ada" is created
      Then the activities list the event of "Ada"

  @EVT-001 @EVT-002 @EVT-003 @EVT-005 @EVT-006 @needs:post-events
  Rule: Events are delivered with all they hold, whatever their kind

    Scenario Outline: The sample event <sample> arrives as it was posted
      Given a subscription to "<type>"
      When sample event "<sample>" happens
      Then the event of "<sample>" is delivered
      And the event of "<sample>" holds what was posted
      And every event has the time when it was recorded, in UTC
      And every event is of type "<type>"
      And every event names the resources it is about

      Examples:
        | sample                        | type                                |
        | user-access-allowed           | USER.ACCESS_ALLOWED                 |
        | davinci-custom-analytics      | DAVINCI_INTERACTION.CUSTOM_ANALYTICS |
        | activity-user-deleted         | USER.DELETED                        |
        | action-created-by-system      | ACTION.CREATED                      |
        | flow-created-without-user     | FLOW.CREATED                        |
        | password-check-failed-success | PASSWORD.CHECK_FAILED               |
        | user-access-denied-failed     | USER.ACCESS_DENIED                  |
        | user-created-empty-population | USER.CREATED                        |
        | user-created-whole-second     | USER.CREATED                        |
        | user-created-nanoseconds      | USER.CREATED                        |
        | user-created-non-ascii        | USER.CREATED                        |
        | user-created-escapes          | USER.CREATED                        |
        | user-created-large            | USER.CREATED                        |
