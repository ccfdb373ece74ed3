@receiver
Feature: Payloads
  A delivery has from one event to 500, and may be as large as was configured, up to 4096 KB.

  @RCV-003
  Rule: A delivery of a single event is accepted

    Scenario: An array of one event
      Given the receiver under test, subscribed to "USER.CREATED"
      When sample event "user-created" happens
      Then a delivery of 1 event is answered 200

    Scenario: One event in every payload
      Given the receiver under test, subscribed to "USER.CREATED" with:
        | limit | 1 event |
      When 5 events happen at once
      Then a delivery of 1 event is answered 200

  @RCV-004
  Rule: A delivery of 500 events is accepted

    Scenario: As many events as a payload holds where nothing is configured
      Given the receiver under test, subscribed to "USER.CREATED"
      When 500 events happen at once
      Then a delivery of 500 events is answered 200

    Scenario: As many events as a payload can be configured to hold
      Given the receiver under test, subscribed to "ACTION.CREATED" with:
        | limit | 500 events |
      When 501 events like sample "action-created-by-system" happen at once
      Then a delivery of 500 events is answered 200

  @RCV-005
  Rule: A delivery as large as the configured limit is accepted

    Scenario Outline: A payload of up to <limit>
      Given the receiver under test, subscribed to "USER.CREATED" with:
        | limit | <limit> |
      When <count> events of <size> bytes happen at once
      Then a delivery of <least> to <most> bytes is answered 200

      Examples:
        | limit   | count | size    | least   | most    |
        | 1 KB    | 1     | 960     | 900     | 1024    |
        | 500 KB  | 10    | 50000   | 450000  | 512000  |
        | 4096 KB | 4     | 1048000 | 4190000 | 4194304 |

    Scenario: An event that is larger than the limit comes alone
      Given the receiver under test, subscribed to "USER.CREATED" with:
        | limit | 1 KB |
      When events of 300, 20000 and 300 bytes happen at once
      Then a delivery of 19000 to 21000 bytes is answered 200

  @RCV-006
  Rule: A pretty-printed array is accepted like a compact one

    Scenario Outline: Events in a <body>
      Given the receiver under test, subscribed to "USER.CREATED, POPULATION.CREATED" with:
        | body | <body> |
      When sample events "user-created" and "population-created" happen at once
      Then every delivery is answered 200

      Examples:
        | body          |
        | compact array |
        | pretty array  |

  @RCV-007
  Rule: Who claims NDJSON accepts deliveries in lines

    Scenario Outline: Events in <body>
      Given the receiver under test, subscribed to "USER.CREATED, POPULATION.CREATED" with:
        | body | <body> |
      When sample events "user-created" and "population-created" happen at once
      Then every delivery is answered 200

      Examples:
        | body   |
        | NDJSON |
