@emitter
Feature: Retry
  Only a 200 tells that a delivery was taken. Until then it is sent again, nothing overtakes it, and nothing is lost
  that has not waited for a week.

  Background:
    Given an environment

  @RTY-001
  Rule: What was answered with 500 is sent again

    Scenario: Three failures in a row
      Given a receiver "sink" that answers 500 to the first 3 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      And delivery to "sink" fails 3 times or more

    Scenario Outline: Three failures in a row with <what>
      Given a receiver "sink" that answers 500 to the first 3 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | <setting> | <value> |
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      And delivery to "sink" fails 3 times or more

      Examples:
        | what          | setting         | value        |
        | NDJSON        | body            | NDJSON       |
        | pretty print  | body            | pretty array |
        | a limit in KB | limit           | 64 KB        |
        | a header      | header X-Tenant | seven        |

    Scenario: Three failures in a row with a population filter
      Given population "Staff"
      And a receiver "sink" that answers 500 to the first 3 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | populations | Staff |
      When user "Ada" is created in population "Staff"
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      And delivery to "sink" fails 3 times or more

    @needs:post-events @whole-environment
    Scenario: Three failures in a row of more than 200 KB
      Given a receiver "sink" that answers 500 to the first 3 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When 1 events of 250000 bytes happen at once
      Then all events are sent to "sink" until they are acknowledged
      And delivery to "sink" fails 3 times or more

    Scenario: Three failures in a row after the subscription was changed
      Given a receiver "sink" that answers 500 to the first 3 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When subscription "watch" is changed with:
        | name | another |
      And user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      And delivery to "sink" fails 3 times or more

    @needs:certificates
    Scenario: Failures at a receiver whose certificate is verified
      Given a receiver with a certificate of an unknown authority that answers 500
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And a subscription to "USER.CREATED" with:
        | verifyTlsCertificates | true |
      When user "Ada" is created
      Then delivery to "receiver" fails 3 times or more
      When receiver "receiver" recovers
      Then the event of "Ada" is sent to "receiver" until it is acknowledged

    @needs:certificates
    Scenario: Failures at a receiver that requires a client certificate
      Given a receiver requiring a client certificate that answers 500
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And key "client" with usage type "OUTBOUND_MTLS"
      And a subscription to "USER.CREATED" with:
        | key                   | client |
        | verifyTlsCertificates | true   |
      When user "Ada" is created
      Then delivery to "receiver" fails 3 times or more
      When receiver "receiver" recovers
      Then the event of "Ada" is sent to "receiver" until it is acknowledged

    Scenario: Failures of later events
      Given a receiver "sink" that answers 500 to the first 2 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | limit | 1 event |
      When users "Ada", "Bob" and "Cleo" are created
      Then the events of "Ada", "Bob" and "Cleo" are sent to "sink" until they are acknowledged

  @RTY-002
  Rule: What was answered with 4xx is sent again

    Scenario Outline: A receiver that answers <status> at first
      Given a receiver "sink" that answers <status> to the first 2 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      And delivery to "sink" fails 2 times or more

      Examples:
        | status |
        | 400    |
        | 401    |
        | 403    |
        | 404    |
        | 410    |
        | 402    |
        | 405    |
        | 406    |
        | 408    |
        | 409    |
        | 413    |
        | 415    |
        | 421    |
        | 422    |
        | 423    |
        | 425    |
        | 428    |
        | 429    |
        | 431    |
        | 451    |
        | 499    |
        | 407    |
        | 411    |
        | 412    |
        | 414    |
        | 416    |
        | 417    |
        | 418    |
        | 424    |
        | 426    |

    @slow
    Scenario Outline: Ten times <status> in a row
      Given a receiver "sink" that answers <status> to the first 10 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      And delivery to "sink" fails 10 times or more

      Examples:
        | status |
        | 400    |
        | 404    |

  @RTY-003
  Rule: What a refused connection held up is delivered once connections are accepted

    Scenario: A port that is closed and opened
      Given a receiver "sink" that refuses connections
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      And a subscription "witness" to "USER.CREATED" at receiver "beside"
      When user "Ada" is created
      Then the event of "Ada" is delivered to "beside"
      When user "Bob" is created
      Then the event of "Bob" is delivered to "beside"
      When receiver "sink" recovers
      Then the events of "Ada" and "Bob" are sent to "sink" until they are acknowledged

    Scenario: A port that is closed after a delivery
      Given a receiver on a port that is its own
      And a subscription "watch" to "USER.CREATED" at receiver "receiver"
      And a subscription "witness" to "USER.CREATED" at receiver "beside"
      When user "Ada" is created
      Then the event of "Ada" is delivered
      When receiver "receiver" refuses connections
      And users "Bob" and "Cleo" are created, each after the one before has come to "beside"
      And receiver "receiver" recovers
      Then the events of "Bob" and "Cleo" are sent to "receiver" until they are acknowledged

    Scenario: A port that stays closed for several attempts
      Given a receiver "sink" that refuses connections
      And a receiver "beside" that answers 500
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      And a subscription "witness" to "USER.CREATED" at receiver "beside"
      When user "Ada" is created
      Then delivery to "beside" fails 8 times or more
      When receiver "sink" recovers
      Then the event of "Ada" is sent to "sink" until it is acknowledged

  @RTY-004
  Rule: What is never answered is sent again

    @slow
    Scenario: A receiver that does not answer
      Given a receiver "sink" that never answers the first delivery
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      And delivery to "sink" fails once or more

    Scenario: A receiver that cuts the connection
      Given a receiver "sink" that resets the connections of the first 2 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      And delivery to "sink" fails 2 times or more

  @RTY-005
  Rule: What was answered with 200 is not sent again

    Scenario: A receiver that takes everything
      Given a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      When user "Bob" is created
      Then the event of "Bob" is sent to "sink" until it is acknowledged
      When user "Cleo" is created
      Then the event of "Cleo" is sent to "sink" until it is acknowledged
      And nothing is sent to "sink" again after it was acknowledged

    Scenario: A receiver that failed before
      Given a receiver "sink" that answers 500 to the first 2 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      When user "Bob" is created
      Then the event of "Bob" is sent to "sink" until it is acknowledged
      And nothing is sent to "sink" again after it was acknowledged

    Scenario: A burst in full deliveries
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | limit | 10 events |
      When 25 users are created at once
      Then all events are sent to "sink" until they are acknowledged
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      And nothing is sent to "sink" again after it was acknowledged

    @slow
    Scenario: While further events come for two seconds
      Given a subscription "watch" to "USER.CREATED" at receiver "receiver"
      When 3 users are created at once
      Then every event is delivered
      When a user is created every 400 milliseconds, 6 times
      Then every event is delivered
      And nothing is sent to "receiver" again after it was acknowledged

    @DLV-006 @DLV-012 @slow
    Scenario: Between two events that are almost five seconds apart
      Given a subscription "watch" to "USER.CREATED" at receiver "receiver"
      When a user is created every 4900 milliseconds, 2 times
      Then every event is delivered
      And nothing is sent to "receiver" again after it was acknowledged
      And every delivery holds at least one event
      And no event was held longer than 2 seconds

    Scenario Outline: A subscription whose <what> is changed
      Given a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      When subscription "watch" is changed with:
        | <setting> | <value> |
      And user "Bob" is created
      Then the event of "Bob" is sent to "sink" until it is acknowledged
      And nothing is sent to "sink" again after it was acknowledged

      Examples:
        | what   | setting         | value                  |
        | name   | name            | another                |
        | header | header X-Tenant | seven                  |
        | limit  | limit           | 10 events              |
        | path   | below           | /audit                 |

    Scenario: A subscription that is moved
      Given a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      When subscription "watch" is moved to a receiver "new"
      And user "Bob" is created
      Then the event of "Bob" is sent to "new" until it is acknowledged
      And the event of "Ada" has not come to "new"

    Scenario: A subscription that is switched off and on
      Given a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      When subscription "watch" is switched off
      And subscription "watch" is switched on
      And user "Bob" is created
      Then the event of "Bob" is sent to "sink" until it is acknowledged
      And nothing is sent to "sink" again after it was acknowledged

    @needs:post-events @whole-environment
    Scenario Outline: A burst of <events> events with a limit of <limit> events
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | limit | <limit> events |
      When <events> events happen at once
      Then all events are sent to "sink" until they are acknowledged
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      And nothing is sent to "sink" again after it was acknowledged

      Examples:
        | events | limit |
        | 25     | 10    |
        | 1001   | 500   |

  @RTY-006
  Rule: Nothing overtakes a delivery that fails

    Scenario: Events during a failure
      Given a receiver "sink" that answers 503
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then delivery to "sink" fails once or more
      When users "Bob" and "Cleo" are created
      Then delivery to "sink" fails 4 times or more
      When receiver "sink" recovers
      Then all events are sent to "sink" until they are acknowledged
      And no event overtakes a failed delivery at "sink"

    Scenario Outline: Events after a change of the <what> during a failure
      Given a receiver "sink" that answers 503
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then delivery to "sink" fails once or more
      When subscription "watch" is changed with:
        | <setting> | <value> |
      And users "Bob" and "Cleo" are created
      Then delivery to "sink" fails 6 times or more
      And no event overtakes a failed delivery at "sink"

      Examples:
        | what  | setting | value   |
        | name  | name    | another |
        | limit | limit   | 1 event |

    Scenario: Many events wait behind one
      Given a receiver "sink" that answers 404 to the first 5 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | limit | 1 event |
      When users "Ada", "Bob", "Cleo" and "Dora" are created
      Then all events are sent to "sink" until they are acknowledged
      And no event overtakes a failed delivery at "sink"

    Scenario: Many events wait behind two
      Given a receiver "sink" that answers 503
      And a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | limit | 2 events |
      When users "Ada", "Bob", "Cleo" and "Dora" are created
      Then delivery to "sink" fails 4 times or more
      When receiver "sink" recovers
      Then all events are sent to "sink" until they are acknowledged
      And no event overtakes a failed delivery at "sink"

    @slow
    Scenario Outline: Many events wait behind one at a receiver that <fails>
      Given a receiver "sink" that <fails>
      And a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | limit | 1 event |
      When users "Ada", "Bob", "Cleo" and "Dora" are created
      Then all events are sent to "sink" until they are acknowledged
      And no event overtakes a failed delivery at "sink"

      Examples:
        | fails                                            |
        | never answers the first 2 deliveries             |
        | resets the connections of the first 5 deliveries |
        | answers 502 to the first 5 deliveries            |

  @RTY-007
  Rule: Nothing is lost in an outage

    Scenario: An outage of several attempts
      Given a receiver "sink" that answers 503
      And a subscription "watch" to "USER.CREATED, USER.DELETED" at receiver "sink"
      When users "Ada", "Bob" and "Cleo" are created
      Then delivery to "sink" fails 2 times or more
      When users "Dora" and "Emil" are created
      And user "Ada" is deleted
      Then delivery to "sink" fails 6 times or more
      When receiver "sink" recovers
      Then all events are sent to "sink" until they are acknowledged

    @needs:post-events @whole-environment
    Scenario: An outage with hundreds of events
      Given a receiver "sink" that answers 503
      And a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | limit | 100 events |
      When 350 events happen at once
      Then delivery to "sink" fails 5 times or more
      When receiver "sink" recovers
      Then all events are sent to "sink" until they are acknowledged

    @needs:post-events @whole-environment
    Scenario: An outage with more than a thousand events
      Given a receiver "sink" that answers 503
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When 1600 events happen at once
      Then delivery to "sink" fails once or more
      When receiver "sink" recovers
      Then all events are sent to "sink" until they are acknowledged

    @needs:clock-control @whole-target
    Scenario: An outage of six days
      Given a receiver "sink" that answers 503
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When users "Ada" and "Bob" are created
      Then delivery to "sink" fails 2 times or more
      When the target's clock is advanced by 6 days
      And user "Cleo" is created
      Then delivery to "sink" fails 3 times or more
      When receiver "sink" recovers
      Then all events are sent to "sink" until they are acknowledged

    Scenario Outline: A receiver that answers <status> at first
      Given a receiver "sink" that answers <status> to the first 2 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When users "Ada" and "Bob" are created
      Then all events are sent to "sink" until they are acknowledged
      And delivery to "sink" fails 2 times or more

      Examples:
        | status |
        | 501    |
        | 502    |
        | 503    |
        | 504    |
        | 507    |
        | 511    |
        | 599    |
        | 505    |
        | 506    |
        | 508    |
        | 510    |
        | 520    |
        | 598    |

    @slow
    Scenario Outline: A receiver that <fails>
      Given a receiver "sink" that <fails>
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      And delivery to "sink" fails <times> times or more

      Examples:
        | fails                                            | times |
        | never answers the first 2 deliveries             | 2     |
        | resets the connections of the first 6 deliveries | 6     |

    @slow
    Scenario: An outage of twelve attempts
      Given a receiver "sink" that answers 503 to the first 12 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When users "Ada" and "Bob" are created
      Then all events are sent to "sink" until they are acknowledged
      And delivery to "sink" fails 12 times or more

    Scenario Outline: The <what> of the subscription is changed in an outage
      Given a receiver "sink" that answers 503
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When users "Ada" and "Bob" are created
      Then delivery to "sink" fails 2 times or more
      When subscription "watch" is changed with:
        | <setting> | <value> |
      And user "Cleo" is created
      Then delivery to "sink" fails 4 times or more
      When receiver "sink" recovers
      Then all events are sent to "sink" until they are acknowledged

      Examples:
        | what   | setting                           | value                           |
        | name   | name                              | another                         |
        | header | header X-Tenant                   | seven                           |
        | limit  | limit                             | 1 event                         |
        | path   | below                             | /audit                          |
        | body   | body                              | NDJSON                          |
        | types  | filterOptions.includedActionTypes | ["USER.CREATED","USER.DELETED"] |

    Scenario: The subscription is moved in an outage
      Given a receiver "sink" that answers 503
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When users "Ada" and "Bob" are created
      Then delivery to "sink" fails 2 times or more
      When subscription "watch" is moved to a receiver "new"
      And receiver "sink" recovers
      Then all events are sent to "new" or "sink" until they are acknowledged

    @needs:certificates
    Scenario: Verification is switched off in an outage
      Given a receiver with a certificate of an unknown authority that answers 503
      And the receiver's certificate uploaded with usage type "SSL/TLS"
      And a subscription "watch" to "USER.CREATED" at receiver "receiver" with:
        | verifyTlsCertificates | true |
      When users "Ada" and "Bob" are created
      Then delivery to "receiver" fails 2 times or more
      When subscription "watch" is changed with:
        | verifyTlsCertificates | false |
      And receiver "receiver" recovers
      Then all events are sent to "receiver" until they are acknowledged

    @slow
    Scenario Outline: The <what> of the subscription is changed while a delivery fails
      Given a receiver "sink" that answers 503 after 500 milliseconds
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When users "Ada" and "Bob" are created
      Then delivery to "sink" fails once or more
      When subscription "watch" is changed with:
        | <setting> | <value> |
      Then delivery to "sink" fails 2 times or more
      When receiver "sink" recovers
      Then all events are sent to "sink" until they are acknowledged

      Examples:
        | what   | setting         | value                  |
        | name   | name            | another                |
        | header | header X-Tenant | seven                  |

  @RTY-008
  Rule: Events arrive in the order in which they happened

    Scenario: One by one
      Given a subscription "watch" to "USER.CREATED, USER.DELETED" at receiver "sink" with:
        | limit | 1 event |
      When users "Ada", "Bob", "Cleo", "Dora" and "Emil" are created
      And user "Bob" is deleted
      Then all events are sent to "sink" until they are acknowledged
      And the events reached "sink" in the order in which they happened

    Scenario: After a failure, all at once
      Given a receiver "sink" that answers 503
      And a subscription "watch" to "USER.CREATED, USER.DELETED" at receiver "sink"
      When users "Zoe", "Yan", "Ada", "Mia", "Bob" and "Kim" are created
      And user "Zoe" is deleted
      Then delivery to "sink" fails 2 times or more
      When receiver "sink" recovers
      Then all events are sent to "sink" until they are acknowledged
      And the events reached "sink" in the order in which they happened

    Scenario Outline: After a failure, twelve at once as <body>
      Given a receiver "sink" that answers 503
      And a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | body | <body> |
      When user "Zoe" is created
      Then delivery to "sink" fails once or more
      When users "Yan", "Ada", "Mia", "Bob", "Kim", "Leo", "Cy", "Uma", "Gus", "Pia" and "Di" are created
      Then delivery to "sink" fails 2 times or more
      When receiver "sink" recovers
      Then all events are sent to "sink" until they are acknowledged
      And the events reached "sink" in the order in which they happened

      Examples:
        | body   |
        | array  |
        | NDJSON |

    Scenario: After refused connections, all at once
      Given a receiver "sink" that refuses connections
      And a receiver "beside" that answers 500
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      And a subscription "witness" to "USER.CREATED" at receiver "beside"
      When users "Zoe", "Yan", "Ada", "Mia", "Bob" and "Kim" are created
      Then delivery to "beside" fails 5 times or more
      When receiver "sink" recovers
      Then all events are sent to "sink" until they are acknowledged
      And the events reached "sink" in the order in which they happened

  @RTY-009
  Rule: A subscription that fails does not delay another

    Scenario Outline: Beside a receiver that <fails>
      Given a receiver "sick" that <fails>
      And a subscription "failing" to "USER.CREATED" at receiver "sick"
      And a subscription "healthy" to "USER.CREATED" at receiver "well"
      When user "Ada" is created
      Then delivery to "sick" fails once or more
      And the event of "Ada" is delivered to "well"
      When user "Bob" is created
      Then the event of "Bob" is delivered to "well"

      Examples:
        | fails         |
        | answers 500   |
        | never answers |

    Scenario: Beside six that fail
      Given 6 subscriptions to "USER.CREATED", each at a receiver that answers 500
      And a subscription "healthy" to "USER.CREATED" at receiver "well"
      When users "Ada", "Bob" and "Cleo" are created, each after the one before has come to "well"
      Then the events of "Ada", "Bob" and "Cleo" are delivered to "well"

  @RTY-011
  Rule: A redirect is no success and is not followed

    Scenario Outline: A redirect with <status>
      Given a receiver "elsewhere"
      And a receiver "sink" that redirects the first 2 deliveries to "elsewhere" with <status>
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      And nothing is sent to "elsewhere"

      Examples:
        | status |
        | 300    |
        | 301    |
        | 302    |
        | 303    |
        | 304    |
        | 307    |
        | 308    |

  @RTY-012
  Rule: An event that is sent again is the same event

    @whole-environment
    Scenario: Events of a failed delivery
      Given a receiver "sink" that answers 500 to the first 3 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When users "Ada" and "Bob" are created
      Then the events of "Ada" and "Bob" are sent to "sink" until they are acknowledged
      And every event had the same id and content each time it was sent to "sink"

  @RTY-013 @whole-target
  Rule: Events that waited for a failing receiver for more than 7 days are dropped

    Scenario: An outage of more than a week
      Given a receiver "sink" that answers 503
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then delivery to "sink" fails 2 times or more
      When the target's clock is advanced by 7 days and 1 hour
      And user "Bob" is created
      Then the event of "Bob" comes to "sink" without that of "Ada"
      When receiver "sink" recovers
      Then the event of "Bob", and not that of "Ada", is sent to "sink" until it is acknowledged

  @RTY-014
  Rule: A 200 is a success whatever its body

    Scenario Outline: A 200 with <body>
      Given a receiver "sink" that answers 200 with <body> to the first 1 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink"
      When user "Ada" is created
      Then the event of "Ada" is sent to "sink" until it is acknowledged
      When user "Bob" is created
      Then the event of "Bob" is sent to "sink" until it is acknowledged
      And nothing is sent to "sink" again after it was acknowledged

      Examples:
        | body            |
        | an HTML page    |
        | a JSON error    |
        | malformed JSON  |
        | 64 KB of binary |
