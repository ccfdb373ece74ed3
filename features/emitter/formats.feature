@emitter
Feature: Formats
  Beside its own format the service offers one for Splunk and one for New Relic. What their records look like is not
  documented; that they carry the events, and are delivered by the same rules, is expected.

  Background:
    Given an environment

  @FMT-S01
  Rule: A Splunk record is an object with the event in it

    Scenario Outline: Splunk records in <body>
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | format | "SPLUNK" |
        | body   | <body>   |
      When users "Ada", "Bob" and "Cleo" are created
      Then all data is found at "sink"
      And every record at "sink" is an object with an event

      Examples:
        | body         |
        | array        |
        | pretty array |
        | NDJSON       |

  @FMT-N01
  Rule: A New Relic body is JSON and has the ids of the events

    Scenario Outline: New Relic records in <body>
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | format | "NEWRELIC" |
        | body   | <body>     |
      And a subscription "witness" to "USER.CREATED" at receiver "beside" with:
        | format | "ACTIVITY" |
      When users "Ada", "Bob" and "Cleo" are created
      Then the events of "Ada", "Bob" and "Cleo" are delivered to "beside"
      And the ids of the events at "beside" are found at "sink"
      And every delivery to "sink" is JSON

      Examples:
        | body         |
        | array        |
        | pretty array |
        | NDJSON       |

  @FMT-X01
  Rule: Filters, payload limits, headers and retry work alike in all formats

    Scenario Outline: A filter by population in format <format>
      Given populations "Staff" and "Customers"
      And a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | format      | "<format>" |
        | populations | Staff      |
      When user "Ada" is created in population "Customers"
      And user "Bob" is created in population "Staff"
      Then the data of "Bob" is found at "sink"
      And the data of "Ada" is not found at "sink"

      Examples:
        | format   |
        | ACTIVITY |
        | SPLUNK   |
        | NEWRELIC |

    @needs:post-events @whole-environment
    Scenario Outline: A burst of 750 events without a limit in format <format>
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | format | "<format>" |
      When 750 events happen at once
      Then all data is found at "sink"
      And no delivery to "sink" has the data of more than 500 events

      Examples:
        | format   |
        | SPLUNK   |
        | NEWRELIC |

    Scenario Outline: A limit of 2 events in format <format>
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | format | "<format>" |
        | limit  | 2 events   |
      When 7 users are created at once
      Then all data is found at "sink"
      And no delivery to "sink" has the data of more than 2 events

      Examples:
        | format   |
        | ACTIVITY |
        | SPLUNK   |
        | NEWRELIC |

    @needs:post-events @whole-environment
    Scenario Outline: A limit of 8 KB in format <format> as <body>
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | format | "<format>" |
        | body   | <body>     |
        | limit  | 8 KB       |
      When 60 events happen at once
      Then all data is found at "sink"
      And no delivery to "sink" with the data of several events is larger than 8 KB

      Examples:
        | format   | body         |
        | ACTIVITY | array        |
        | ACTIVITY | pretty array |
        | ACTIVITY | NDJSON       |
        | SPLUNK   | array        |
        | SPLUNK   | pretty array |
        | SPLUNK   | NDJSON       |
        | NEWRELIC | array        |
        | NEWRELIC | pretty array |
        | NEWRELIC | NDJSON       |

    @needs:post-events @whole-environment
    Scenario Outline: Payloads filled to almost every number of bytes in format <format>
      Given a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | format | "<format>" |
        | limit  | 2 KB       |
      When pairs of events from 890 to 960 bytes happen at once
      Then all data is found at "sink"
      And no delivery to "sink" with the data of several events is larger than 2 KB

      Examples:
        | format   |
        | SPLUNK   |
        | NEWRELIC |

    Scenario Outline: Headers in format <format>
      Given a subscription to "USER.CREATED" with:
        | format               | "<format>"                       |
        | header Authorization | Splunk 5d9f1c7e-0c3b-4f5e-8a51-5 |
        | header Api-Key       | kept as it is                    |
        | header Content-Type  | application/vnd.example+json     |
      When user "Ada" is created
      Then the data of "Ada" is found at "receiver"
      And every delivery carries the configured headers

      Examples:
        | format   |
        | ACTIVITY |
        | SPLUNK   |
        | NEWRELIC |

    Scenario Outline: Retries in format <format>
      Given a receiver "sink" that answers 500 to the first 2 deliveries
      And a subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | format | "<format>" |
      When user "Ada" is created
      Then the data of "Ada" is sent to "sink" until it is acknowledged

      Examples:
        | format   |
        | ACTIVITY |
        | SPLUNK   |
        | NEWRELIC |

  @FMT-X02
  Rule: A Splunk record differs from one of the general format

    Scenario: One event in both formats
      Given a subscription "general" to "USER.CREATED" at receiver "sink" with:
        | format | "ACTIVITY" |
      And a subscription "special" to "USER.CREATED" at receiver "splunk" with:
        | format | "SPLUNK" |
      When user "Ada" is created
      Then the data of "Ada" is found at "sink"
      And the data of "Ada" is found at "splunk"
      And the records at "sink" and "splunk" differ
