@emitter
Feature: Delivery
  Events are posted to the configured URL in batches: never empty, never larger than the payload limit,
  and no event held for more than two seconds.

  Background:
    Given an environment

  @DLV-001
  Rule: A delivery is a POST to the configured URL

    Scenario: The URL has a path and a query of its own
      Given a receiver at path and query "/audit/pingone?tenant=7&source=webhook"
      And a subscription to "USER.CREATED"
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And every delivery is a POST to the configured path and query

    Scenario: Escapes in the path stay escapes
      Given a receiver at path and query "/audit%2Fpingone/caf%C3%A9?tenant=7%2C8"
      And a subscription to "USER.CREATED"
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And every delivery is a POST to the configured path and query

    Scenario: What is sent again goes to the same path and query
      Given a receiver at path and query "/audit?tenant=7" that answers 500 to the first 2 deliveries
      And a subscription to "USER.CREATED"
      When user "Ada" is created
      Then the event of "Ada" is sent to "receiver" until it is acknowledged
      And every delivery is a POST to the configured path and query

    @whole-environment
    Scenario: The path is changed
      Given a subscription to "USER.CREATED"
      And a first event has been delivered
      When the subscription is changed with:
        | below | /audit?tenant=7 |
      And user "Bob" is created
      Then the event of "Bob" is delivered
      And every delivery is a POST to the configured path and query

  @DLV-002
  Rule: Every delivery carries the configured headers

    Scenario: Headers of several kinds arrive as they were configured
      Given a subscription to "USER.CREATED" with:
        | header X-Api-Key    | 0b7f93c6-!$%&'*+.^_~      |
        | header x-lower-case | v                         |
        | header X-Mixed-Case | aBcDeF                    |
        | header X-Parameters | "a, b"; c=d; e="f;g" (h)  |
        | header X-Long       | 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789 |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And every delivery carries the configured headers

    Scenario: Ten headers arrive
      Given a subscription to "USER.CREATED" with:
        | header Authorization | ApiKey 6b0c |
        | header X-Audit       | on          |
        | header X-Cluster     | two         |
        | header X-Colour      | green       |
        | header X-Region      | EMEA        |
        | header X-Shard       | 7           |
        | header X-Source      | PingOne     |
        | header X-Stage       | test        |
        | header X-Tenant      | seven       |
        | header X-Zone        | b           |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And every delivery carries the configured headers

    Scenario: A value of 2000 characters arrives whole
      Given a subscription to "USER.CREATED" with:
        | long header X-Token | 2000 |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And every delivery carries the configured headers

    Scenario Outline: The headers come with a body that is <body>
      Given a subscription to "USER.CREATED" with:
        | body             | <body> |
        | header X-Api-Key | s3cret |
        | header X-Tenant  | seven  |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And every delivery carries the configured headers

      Examples:
        | body         |
        | pretty array |
        | NDJSON       |

    @needs:post-events @whole-environment
    Scenario: The headers come with 150 events
      Given a subscription to "USER.CREATED" with:
        | header Authorization | ApiKey 6b0c |
        | header X-Tenant      | seven       |
      When 150 events happen at once
      Then every event is delivered
      And every delivery carries the configured headers

    @needs:post-events @whole-environment
    Scenario: The headers come with a body of more than 100 KB
      Given a subscription to "USER.CREATED" with:
        | header Authorization | ApiKey 6b0c |
        | header X-Tenant      | seven       |
      When 1 events of 150000 bytes happen at once
      Then every event is delivered
      And every delivery carries the configured headers

    Scenario: The headers are on every delivery, not only on the first
      Given a subscription to "USER.CREATED" with:
        | limit            | 1 event |
        | header X-Api-Key | s3cret  |
      When 5 users are created at once
      Then every event is delivered
      And every delivery carries the configured headers

    Scenario: The headers come over another connection as well
      Given a receiver "receiver" that resets the connection of the second delivery
      And a subscription to "USER.CREATED" with:
        | header X-Api-Key | s3cret |
        | header X-Tenant  | seven  |
      And a first event has been delivered
      When user "Bob" is created
      Then the event of "Bob" is sent to "receiver" until it is acknowledged
      And every delivery carries the configured headers

    Scenario: A configured Content-Type takes the place of the usual one
      Given a subscription to "USER.CREATED" with:
        | header Content-Type | application/vnd.example.audit+json; v=2 |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And every delivery carries the configured headers

    Scenario: A configured Content-Type takes the place of that of NDJSON
      Given a subscription to "USER.CREATED" with:
        | body                | NDJSON                                  |
        | header Content-Type | application/vnd.example.audit+json; v=2 |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And every delivery carries the configured headers

    Scenario: A configured User-Agent takes the place of the emitter's own
      Given a subscription to "USER.CREATED" with:
        | header User-Agent | Audit/7 |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And every delivery carries the configured headers

    Scenario: What is sent again carries them as well
      Given a receiver "receiver" that answers 500 to the first 2 deliveries
      And a subscription to "USER.CREATED" with:
        | header X-Api-Key | s3cret |
        | header X-Tenant  | seven  |
      When user "Ada" is created
      Then the event of "Ada" is sent to "receiver" until it is acknowledged
      And every delivery carries the configured headers

    @whole-environment
    Scenario: The headers are changed
      Given a subscription to "USER.CREATED" with:
        | header X-Api-Key | s3cret |
      And a first event has been delivered
      When the subscription is changed with:
        | header X-Api-Key | other |
        | header X-Tenant  | seven |
      And user "Bob" is created
      Then the event of "Bob" is delivered
      And every delivery carries the configured headers

  @DLV-003
  Rule: Basic authentication is configured as an Authorization header

    Scenario: The credentials arrive unchanged
      Given a subscription to "USER.CREATED" with:
        | header Authorization | Basic cGluZ29uZTpTM2NyZXQ6LysrPQ== |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And every delivery carries the configured headers

    Scenario Outline: The credentials arrive unchanged with <what>
      Given a subscription to "USER.CREATED" with:
        | body            | <body>                             |
        | header <header> | Basic cGluZ29uZTpTM2NyZXQ6LysrPQ== |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And every delivery carries the configured headers

      Examples:
        | what                 | body         | header        |
        | a pretty body        | pretty array | Authorization |
        | NDJSON               | NDJSON       | Authorization |
        | a name in lower case | array        | authorization |

    Scenario: The credentials are on every delivery, not only on the first
      Given a subscription to "USER.CREATED" with:
        | limit                | 1 event                            |
        | header Authorization | Basic cGluZ29uZTpTM2NyZXQ6LysrPQ== |
      When 3 users are created at once
      Then every event is delivered
      And every delivery carries the configured headers

    Scenario: The credentials come over another connection as well
      Given a receiver "receiver" that resets the connection of the second delivery
      And a subscription to "USER.CREATED" with:
        | header Authorization | Basic cGluZ29uZTpTM2NyZXQ6LysrPQ== |
      And a first event has been delivered
      When user "Bob" is created
      Then the event of "Bob" is sent to "receiver" until it is acknowledged
      And every delivery carries the configured headers

    @whole-environment
    Scenario: The credentials are changed
      Given a subscription to "USER.CREATED" with:
        | header Authorization | Basic cGluZ29uZTpTM2NyZXQ6LysrPQ== |
      And a first event has been delivered
      When the subscription is changed with:
        | header Authorization | Basic cGluZ29uZTpPdGhlcg== |
      And user "Bob" is created
      Then the event of "Bob" is delivered
      And every delivery carries the configured headers

    Scenario: The credentials are sent again with what is sent again
      Given a receiver "receiver" that answers 500 to the first 2 deliveries
      And a subscription to "USER.CREATED" with:
        | header Authorization | Basic cGluZ29uZTpTM2NyZXQ6LysrPQ== |
      When user "Ada" is created
      Then the event of "Ada" is sent to "receiver" until it is acknowledged
      And every delivery carries the configured headers

  @DLV-004
  Rule: Without a payload format the body is one JSON array

    Scenario: Many events come in arrays
      Given a subscription to "USER.CREATED"
      When 20 users are created at once
      Then every event is delivered
      And every delivery is one JSON array

    Scenario: One event a delivery comes in arrays
      Given a subscription to "USER.CREATED" with:
        | limit | 1 event |
      When 5 users are created at once
      Then every event is delivered
      And every delivery is one JSON array

    @whole-environment
    Scenario: The payload format is taken away
      Given a subscription to "USER.CREATED" with:
        | body | NDJSON |
      And a first event has been delivered
      When the subscription is changed with:
        | payloadOptions | absent |
      And 3 users are created at once
      Then every event is delivered
      And every delivery is one JSON array

  @DLV-005
  Rule: A single event is delivered in an array as well

    Scenario: One event alone is an array of length 1
      Given population "Staff"
      And a subscription to "USER.CREATED" for population "Staff"
      When user "Ada" is created in population "Staff"
      Then the event of "Ada" arrives in an array of its own

    Scenario: One event alone is an array of length 1 when it is sent again
      Given population "Staff"
      And a receiver "receiver" that answers 500 to the first 2 deliveries
      And a subscription to "USER.CREATED" for population "Staff"
      When user "Ada" is created in population "Staff"
      Then the event of "Ada" is sent to "receiver" until it is acknowledged
      And the event of "Ada" arrives in an array of its own

    Scenario: A payload limit of 1 event makes arrays of length 1
      Given a subscription to "USER.CREATED" with:
        | limit | 1 event |
      When user "Ada" is created
      Then the event of "Ada" arrives in an array of its own

  @DLV-006
  Rule: A delivery is never empty

    Scenario: An event that does not match leaves no empty delivery behind
      Given populations "Staff" and "Customers"
      And a subscription "all" to "USER.CREATED" at receiver "all"
      And a subscription to "USER.CREATED" for population "Staff"
      When user "Bob" is created in population "Customers"
      Then the event of "Bob" is delivered to "all"
      When user "Di" is created in population "Staff"
      Then the event of "Di" is delivered
      And every delivery holds at least one event

    Scenario Outline: No empty delivery follows a burst with a limit of <limit> events
      Given a subscription to "USER.CREATED" with:
        | limit | <limit> events |
      When 8 users are created at once
      Then every event is delivered
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And every delivery holds at least one event

      Examples:
        | limit |
        | 1     |
        | 4     |
        | 500   |

  @DLV-007 @needs:post-events
  Rule: Without a payload limit a delivery holds at most 500 events

    @whole-environment
    Scenario: A burst of 750 events
      Given a subscription to "USER.CREATED"
      When 750 events happen at once
      Then every event is delivered
      And no delivery holds more than 500 events

    @whole-environment
    Scenario Outline: A burst of <events> events as <body>
      Given a subscription to "USER.CREATED" with:
        | body | <body> |
      When <events> events happen at once
      Then every event is delivered
      And no delivery holds more than 500 events

      Examples:
        | events | body         |
        | 1500   | array        |
        | 750    | pretty array |
        | 750    | NDJSON       |

    @whole-environment
    Scenario: A burst of 750 events behind a delivery that fails
      Given a receiver "receiver" that answers 503
      And a subscription "watch" to "USER.CREATED" at receiver "receiver"
      When user "Ada" is created
      Then delivery to "receiver" fails 2 times or more
      When 750 events happen at once
      And receiver "receiver" recovers
      Then all events are sent to "receiver" until they are acknowledged
      And no delivery holds more than 500 events

    @whole-environment
    Scenario: A burst of 750 events to a subscription with a filter by tag
      Given a subscription to "USER.DELETED" with:
        | tags | adminIdentityEvent |
      When 750 events like sample "user-deleted-admin-identity" happen at once
      Then every event is delivered
      And no delivery holds more than 500 events

  @DLV-008
  Rule: A delivery holds at most as many events as the payload limit says

    Scenario Outline: A burst of <users> users with a limit of <limit> events
      Given a subscription to "USER.CREATED" with:
        | limit | <limit> events |
      When <users> users are created at once
      Then every event is delivered
      And no delivery holds more than <limit> events

      Examples:
        | users | limit |
        | 8     | 2     |
        | 25    | 10    |

    @needs:post-events @whole-environment
    Scenario Outline: A burst of <events> events with a limit of <limit> events
      Given a subscription to "USER.CREATED" with:
        | limit | <limit> events |
      When <events> events happen at once
      Then every event is delivered
      And no delivery holds more than <limit> events

      Examples:
        | events | limit |
        | 10     | 3     |
        | 250    | 100   |
        | 720    | 499   |

    @needs:post-events @whole-environment
    Scenario Outline: A burst of <events> events as <body> with a limit of <limit> events
      Given a subscription to "USER.CREATED" with:
        | limit | <limit> events |
        | body  | <body>         |
      When <events> events happen at once
      Then every event is delivered
      And no delivery holds more than <limit> events

      Examples:
        | events | limit | body         |
        | 720    | 500   | array        |
        | 50     | 7     | array        |
        | 50     | 7     | pretty array |
        | 50     | 7     | NDJSON       |

    Scenario: A burst of users with a limit of one
      Given a subscription to "USER.CREATED" with:
        | limit | 1 events |
      When 8 users are created at once
      Then every event is delivered
      And no delivery holds more than 1 events

    Scenario: What waited while it was switched off
      Given a subscription "watch" to "USER.CREATED" at receiver "receiver" with:
        | limit | 3 events |
      When subscription "watch" is switched off
      And 8 users are created at once
      And subscription "watch" is switched on
      Then every event is delivered
      And no delivery holds more than 3 events

    @whole-environment
    Scenario: A limit of 2 events is set later
      Given a subscription to "USER.CREATED"
      And a first event has been delivered
      When the subscription is changed with:
        | limit | 2 events |
      And 8 users are created at once
      Then every event is delivered
      And no delivery holds more than 2 events

  @DLV-009
  Rule: A payload limit of 1 event makes every event a delivery of its own

    Scenario: A burst of users with a limit of 1 event
      Given a subscription to "USER.CREATED" with:
        | limit | 1 event |
      When 8 users are created at once
      Then every event is delivered
      And every delivery holds exactly one event

  @DLV-010
  Rule: The body of a delivery is no larger than the payload limit in KB

    Scenario: A burst of users with a limit of 4 KB
      Given a subscription to "USER.CREATED" with:
        | limit | 4 KB |
      When 25 users are created at once
      Then every event is delivered
      And no delivery of several events is larger than 4 KB

    @needs:post-events @whole-environment
    Scenario Outline: A burst of <events> events with a limit of <limit> KB as <body>
      Given a subscription to "USER.CREATED" with:
        | limit | <limit> KB |
        | body  | <body>     |
      When <events> events happen at once
      Then every event is delivered
      And no delivery of several events is larger than <limit> KB

      Examples:
        | events | limit | body         |
        | 30     | 2     | array        |
        | 200    | 64    | array        |
        | 30     | 4     | NDJSON       |
        | 30     | 5     | pretty array |
        | 300    | 64    | pretty array |

    @needs:post-events @whole-environment
    Scenario: Pairs of events just below and just above the limit
      Given a subscription to "USER.CREATED" with:
        | limit | 4 KB |
      When pairs of events from 2025 to 2055 bytes happen at once
      Then every event is delivered
      And no delivery of several events is larger than 4 KB

    @needs:post-events @whole-environment
    Scenario Outline: <events> large events with a limit of <limit> KB
      Given a subscription to "USER.CREATED" with:
        | limit | <limit> KB |
      When <events> events of 100000 bytes happen at once
      Then every event is delivered
      And no delivery of several events is larger than <limit> KB

      Examples:
        | events | limit |
        | 14     | 1024  |
        | 46     | 4096  |

    @needs:post-events @whole-environment
    Scenario: Characters of several bytes
      Given a subscription to "USER.CREATED" with:
        | limit | 64 KB |
      When 150 events like sample "user-created-non-ascii" happen at once
      Then every event is delivered
      And no delivery of several events is larger than 64 KB

    @needs:post-events @whole-environment
    Scenario: A burst with a limit of 8 KB behind a delivery that fails
      Given a receiver "receiver" that answers 503
      And a subscription "watch" to "USER.CREATED" at receiver "receiver" with:
        | limit | 8 KB |
      When user "Ada" is created
      Then delivery to "receiver" fails 2 times or more
      When 40 events happen at once
      And receiver "receiver" recovers
      Then all events are sent to "receiver" until they are acknowledged
      And no delivery of several events is larger than 8 KB

    Scenario: What waited while it was switched off with a limit of 4 KB
      Given a subscription "watch" to "USER.CREATED" at receiver "receiver" with:
        | limit | 4 KB |
      When subscription "watch" is switched off
      And 20 users are created at once
      And subscription "watch" is switched on
      Then every event is delivered
      And no delivery of several events is larger than 4 KB

    @whole-environment
    Scenario: A limit of 4 KB is set later
      Given a subscription to "USER.CREATED"
      And a first event has been delivered
      When the subscription is changed with:
        | limit | 4 KB |
      And 20 users are created at once
      Then every event is delivered
      And no delivery of several events is larger than 4 KB

  @DLV-011
  Rule: An event larger than the payload limit is delivered alone

    Scenario: Long names make events larger than 1 KB
      Given a subscription to "APPLICATION.CREATED" with:
        | limit | 1 KB |
      When 3 applications with names of 250 letters are created at once
      Then every event is delivered
      And every event larger than 1 KB is delivered alone

    @needs:post-events
    Scenario: Large events between small ones
      Given a subscription to "USER.CREATED" with:
        | limit | 1 KB |
      When events of 800, 1500, 800, 9000, 1025 and 800 bytes happen at once
      Then every event is delivered
      And every event larger than 1 KB is delivered alone

    @needs:post-events
    Scenario Outline: Large events between small ones as <body>
      Given a subscription to "USER.CREATED" with:
        | limit | 1 KB   |
        | body  | <body> |
      When events of 800, 1500, 800, 9000, 1025 and 800 bytes happen at once
      Then every event is delivered
      And every event larger than 1 KB is delivered alone

      Examples:
        | body         |
        | pretty array |
        | NDJSON       |

    @needs:post-events @whole-environment
    Scenario: Very large events between small ones
      Given a subscription to "USER.CREATED" with:
        | limit | 1 KB |
      When events of 800, 102400, 800, 20000 and 800 bytes happen at once
      Then every event is delivered
      And every event larger than 1 KB is delivered alone

  @DLV-012
  Rule: An event is held for at most two seconds

    Scenario: A single event that no other follows
      Given a subscription to "USER.CREATED"
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And no event was held longer than 2 seconds

    Scenario: A large payload limit is no reason to wait
      Given a subscription to "USER.CREATED" with:
        | limit | 4096 KB |
      When 3 users are created at once
      Then every event is delivered
      And no event was held longer than 2 seconds

    @slow
    Scenario Outline: A trickle of an event every <pace> milliseconds does not put delivery off
      Given a subscription to "USER.CREATED"
      When a user is created every <pace> milliseconds, <times> times
      Then every event is delivered
      And no event was held longer than 2 seconds

      Examples:
        | pace | times |
        | 500  | 6     |
        | 40   | 75    |

    Scenario Outline: <Setting> is no reason to wait
      Given a subscription to "USER.CREATED, USER.DELETED" with:
        | <setting> | <value> |
      When 3 users are created at once
      Then every event is delivered
      And no event was held longer than 2 seconds

      Examples:
        | Setting            | setting | value        |
        | A number of events | limit   | 500 events   |
        | NDJSON             | body    | NDJSON       |
        | Pretty print       | body    | pretty array |

    Scenario: A population filter is no reason to wait
      Given population "Staff"
      And a subscription to "USER.CREATED" for population "Staff"
      When user "Ada" is created in population "Staff"
      Then the event of "Ada" is delivered
      And no event was held longer than 2 seconds

    Scenario: A failure that is over is no reason to wait
      Given a receiver "receiver" that answers 500 to the first 2 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "receiver"
      When user "Ada" is created
      Then the event of "Ada" is sent to "receiver" until it is acknowledged
      When user "Bob" is created
      Then the event of "Bob" is delivered
      And no event was held longer than 2 seconds

    @slow
    Scenario: A pause since the event before is no reason to wait
      Given a subscription to "USER.CREATED"
      When a user is created every 2600 milliseconds, 2 times
      Then every event is delivered
      And no event was held longer than 2 seconds

    Scenario: A change is no reason to wait
      Given a subscription to "USER.CREATED"
      And a first event has been delivered
      When the subscription is changed with:
        | name | another |
      And user "Bob" is created
      Then the event of "Bob" is delivered
      And no event was held longer than 2 seconds

    Scenario: A move is no reason to wait
      Given a subscription "moving" to "USER.CREATED" at receiver "old"
      When subscription "moving" is moved to a receiver "new"
      And user "Ada" is created
      Then the event of "Ada" is delivered to "new"
      And the first delivery to "new" comes within 2 seconds

    Scenario: A suspension that is over is no reason to wait
      Given a subscription "watch" to "USER.CREATED" at receiver "receiver"
      And a first event has been delivered
      When subscription "watch" is switched off
      And subscription "watch" is switched on
      And user "Ada" is created
      Then the event of "Ada" is sent to "receiver" until it is acknowledged
      When user "Bob" is created
      Then the event of "Bob" is delivered
      And the event of "Bob" was not held longer than 2 seconds

    Scenario Outline: The format <format> is no reason to wait
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | format | "<format>" |
      When user "Ada" is created
      Then the first delivery to "sink" comes within 2 seconds

      Examples:
        | format   |
        | SPLUNK   |
        | NEWRELIC |

    @needs:certificates
    Scenario: Verification is no reason to wait
      Given a receiver with a certificate of an unknown authority
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And no event was held longer than 2 seconds

    @needs:certificates
    Scenario: A client certificate is no reason to wait
      Given a receiver requiring a client certificate
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And key "client" with usage type "OUTBOUND_MTLS"
      And a subscription to "USER.CREATED" with:
        | key                   | client |
        | verifyTlsCertificates | true   |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And no event was held longer than 2 seconds

  @DLV-013
  Rule: Events that happen close together share deliveries

    @whole-environment
    Scenario: A burst of users
      Given a subscription to "USER.CREATED"
      When 30 users are created at once
      Then every event is delivered
      And there are fewer deliveries than events

  @DLV-014
  Rule: Pretty print indents the body

    Scenario: The body is indented
      Given a subscription to "USER.CREATED" with:
        | body | pretty array |
      When 3 users are created at once
      Then every event is delivered
      And every delivery is indented over several lines

    @needs:post-events @whole-environment
    Scenario: A body of 100 events is indented
      Given a subscription to "USER.CREATED" with:
        | body | pretty array |
      When 100 events happen at once
      Then every event is delivered
      And every delivery is indented over several lines

    Scenario: What is sent again is indented as well
      Given a receiver "receiver" that answers 500 to the first 2 deliveries
      And a subscription to "USER.CREATED" with:
        | body | pretty array |
      When user "Ada" is created
      Then the event of "Ada" is sent to "receiver" until it is acknowledged
      And every delivery is indented over several lines

    Scenario: The data is the same as without
      Given a subscription "plain" to "USER.CREATED" at receiver "plain"
      And a subscription "pretty" to "USER.CREATED" at receiver "pretty" with:
        | body | pretty array |
      When user "Ada" is created
      Then the event of "Ada" is delivered to "plain"
      And the event of "Ada" is delivered to "pretty"
      And receivers "pretty" and "plain" got the same data

    @needs:post-events
    Scenario: Strings that look like layout keep their meaning
      Given a subscription "plain" to "USER.CREATED" at receiver "plain"
      And a subscription "pretty" to "USER.CREATED" at receiver "pretty" with:
        | body | pretty array |
      When sample event "user-created-escapes" happens
      Then the event of "user-created-escapes" is delivered to "plain"
      And the event of "user-created-escapes" is delivered to "pretty"
      And receivers "pretty" and "plain" got the same data

    Scenario Outline: The format <format> is indented as well
      Given a subscription to "USER.CREATED" with:
        | format | "<format>"   |
        | body   | pretty array |
      When user "Ada" is created
      Then the data of "Ada" is found at "receiver"
      And every delivery is indented over several lines

      Examples:
        | format   |
        | SPLUNK   |
        | NEWRELIC |

    @whole-environment
    Scenario: Pretty print is switched on
      Given a subscription to "USER.CREATED"
      And a first event has been delivered
      When the subscription is changed with:
        | body | pretty array |
      And 3 users are created at once
      Then every event is delivered
      And every delivery is indented over several lines

  @DLV-015
  Rule: Without pretty print the body has no line breaks

    Scenario: Nothing is said about pretty print
      Given a subscription to "USER.CREATED"
      When 5 users are created at once
      Then every event is delivered
      And no delivery has line breaks between its values

    @whole-environment
    Scenario: Pretty print is taken away
      Given a subscription to "USER.CREATED" with:
        | body | pretty array |
      And a first event has been delivered
      When the subscription is changed with:
        | payloadOptions | absent |
      And 3 users are created at once
      Then every event is delivered
      And no delivery has line breaks between its values

    Scenario: Pretty print is switched off
      Given a subscription to "USER.CREATED" with:
        | body | compact array |
      When 5 users are created at once
      Then every event is delivered
      And no delivery has line breaks between its values

  @DLV-016
  Rule: NDJSON has one event a line and no array

    Scenario: Every line is an object
      Given a subscription to "USER.CREATED" with:
        | body | NDJSON |
      When 20 users are created at once
      Then every event is delivered
      And every line of every delivery is one JSON object

    @needs:post-events
    Scenario: An event with escaped line ends stays on its line
      Given a subscription to "USER.CREATED" with:
        | body | NDJSON |
      When sample event "user-created-escapes" happens
      And sample event "user-created-non-ascii" happens
      Then every event is delivered
      And every line of every delivery is one JSON object

    Scenario Outline: Every line is an object in format <format>
      Given a subscription to "USER.CREATED" with:
        | format | "<format>" |
        | body   | NDJSON     |
      When 8 users are created at once
      Then all data is found at "receiver"
      And every line of every delivery is one JSON object

      Examples:
        | format   |
        | ACTIVITY |
        | SPLUNK   |
        | NEWRELIC |

    @whole-environment
    Scenario: The format is changed
      Given a subscription to "USER.CREATED"
      And a first event has been delivered
      When the subscription is changed with:
        | body | NDJSON |
      And 3 users are created at once
      Then every event is delivered
      And every line of every delivery is one JSON object

  @DLV-017
  Rule: NDJSON cannot be pretty printed

    Scenario: The combination is refused
      When a subscription is requested with:
        | body | pretty NDJSON |
      Then the request is refused

  @DLV-018
  Rule: The Content-Type is one of JSON

    Scenario Outline: The body is <body>
      Given a subscription to "USER.CREATED" with:
        | body | <body> |
      When user "Ada" is created
      Then the event of "Ada" is delivered
      And every delivery has a Content-Type of JSON

      Examples:
        | body         |
        | array        |
        | pretty array |
        | NDJSON       |

  @DLV-020
  Rule: A disabled subscription delivers nothing

    Scenario: Events that happen while it is off
      Given subscriptions "on" and "off" to "USER.CREATED", each with a receiver of that name
      When user "Ada" is created
      Then the event of "Ada" is delivered to "off"
      When subscription "off" is switched off
      And user "Bob" is created
      Then the event of "Bob" is delivered to "on"
      When user "Cy" is created
      Then the event of "Cy" is delivered to "on"
      And the events of "Bob" and "Cy" have not come to "off"

    Scenario: It is switched off before it ever delivered
      Given subscriptions "on" and "off" to "USER.CREATED", each with a receiver of that name
      When subscription "off" is switched off
      And user "Ada" is created
      Then the event of "Ada" is delivered to "on"
      When user "Bob" is created
      Then the event of "Bob" is delivered to "on"
      And the events of "Ada" and "Bob" have not come to "off"

    Scenario: It is switched off a second time
      Given subscriptions "on" and "off" to "USER.CREATED", each with a receiver of that name
      When subscription "off" is switched off
      And user "Ada" is created
      Then the event of "Ada" is delivered to "on"
      When subscription "off" is switched on
      Then the event of "Ada" is delivered to "off"
      When subscription "off" is switched off
      And users "Bob" and "Cy" are created, each after the one before has come to "on"
      Then the events of "Bob" and "Cy" have not come to "off"

    Scenario: It is renamed while it is off
      Given subscriptions "on" and "off" to "USER.CREATED", each with a receiver of that name
      When subscription "off" is switched off
      And subscription "off" is changed with:
        | name | another |
      And users "Ada" and "Bob" are created, each after the one before has come to "on"
      Then the events of "Ada" and "Bob" have not come to "off"

    Scenario: It is moved while it is off
      Given subscriptions "on" and "off" to "USER.CREATED", each with a receiver of that name
      When subscription "off" is switched off
      And subscription "off" is moved to a receiver "new"
      And users "Ada" and "Bob" are created, each after the one before has come to "on"
      Then the events of "Ada" and "Bob" have not come to "new"

    Scenario Outline: It is switched off with a change of its <what>
      Given subscriptions "on" and "off" to "USER.CREATED", each with a receiver of that name
      When subscription "off" is changed with:
        | enabled   | false   |
        | <setting> | <value> |
      And users "Ada" and "Bob" are created, each after the one before has come to "on"
      Then the events of "Ada" and "Bob" have not come to "off"

      Examples:
        | what    | setting                           | value                           |
        | headers | header X-Tenant                   | seven                           |
        | types   | filterOptions.includedActionTypes | ["USER.CREATED","USER.DELETED"] |
        | path    | below                             | /audit                          |

    @needs:tcp-ip @needs:tcp-delivery
    Scenario: It streams over TCP
      Given a TCP subscription "off" to "USER.CREATED" at receiver "sink" with:
        | payloadOptions.payloadFormat.tcp.format | "JSON_DOC" |
      And a subscription "on" to "USER.CREATED" at receiver "beside"
      When user "Ada" is created
      Then the data of "Ada" has come to "sink"
      When subscription "off" is switched off
      And users "Bob" and "Cy" are created, each after the one before has come to "beside"
      Then the data of "Bob" is not found at "sink"
      And the data of "Cy" is not found at "sink"

    @needs:certificates
    Scenario: Its receiver requires a client certificate
      Given a receiver requiring a client certificate
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And key "client" with usage type "OUTBOUND_MTLS"
      And a subscription "off" to "USER.CREATED" at receiver "receiver" with:
        | key                   | client |
        | verifyTlsCertificates | true   |
      And a subscription "on" to "USER.CREATED" at receiver "beside"
      When subscription "off" is switched off
      And users "Ada" and "Bob" are created, each after the one before has come to "beside"
      Then the events of "Ada" and "Bob" have not come to "receiver"

  @DLV-021
  Rule: A deleted subscription delivers nothing

    Scenario: Events that happen after it was deleted
      Given subscriptions "kept" and "gone" to "USER.CREATED", each with a receiver of that name
      When user "Ada" is created
      Then the event of "Ada" is delivered to "gone"
      When subscription "gone" is removed
      And user "Bob" is created
      Then the event of "Bob" is delivered to "kept"
      When user "Cy" is created
      Then the event of "Cy" is delivered to "kept"
      And the events of "Bob" and "Cy" have not come to "gone"

    Scenario: It is deleted while its deliveries fail
      Given a receiver "gone" that answers 503
      And a subscription "gone" to "USER.CREATED" at receiver "gone"
      And a subscription "kept" to "USER.CREATED" at receiver "kept"
      When user "Ada" is created
      Then delivery to "gone" fails once or more
      When subscription "gone" is removed
      And receiver "gone" recovers
      And users "Bob" and "Cy" are created, each after the one before has come to "kept"
      Then the events of "Bob" and "Cy" have not come to "gone"

  @DLV-022
  Rule: A subscription with another URL delivers there only

    Scenario: Events that happen after it was moved
      Given a subscription "moving" to "USER.CREATED" at receiver "old"
      When user "Ada" is created
      Then the event of "Ada" is delivered to "old"
      When subscription "moving" is moved to a receiver "new"
      And user "Bob" is created
      Then the event of "Bob" is delivered to "new"
      When user "Cy" is created
      Then the event of "Cy" is delivered to "new"
      And the events of "Bob" and "Cy" have not come to "old"

    Scenario: It is moved while its deliveries fail
      Given a receiver "old" that answers 503
      And a subscription "moving" to "USER.CREATED" at receiver "old" with:
        | limit | 1 event |
      When user "Ada" is created
      Then delivery to "old" fails once or more
      When subscription "moving" is moved to a receiver "new"
      And user "Bob" is created
      Then the event of "Bob" is delivered to "new"
