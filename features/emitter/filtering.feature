@emitter
Feature: Filtering
  A subscription narrows the events it wants by type, population, application and tag. Within one filter any match is
  enough; across filters all must match; a filter that is absent restricts nothing.

  Background:
    Given an environment

  Rule: The types that a subscription includes are delivered, and no others

    @FLT-001
    Scenario: An event of the included type
      Given a subscription to "USER.CREATED"
      When user "Ada" is created
      Then the event of "Ada" is delivered

    @FLT-001 @needs:post-events
    Scenario Outline: An event of type <type>
      Given a subscription to "<type>"
      When these events happen:
        | event | type   |
        | one   | <type> |
      Then the event of "one" is delivered

      Examples:
        | type                       |
        | USER.ACCESS_ALLOWED        |
        | PASSWORD.CHECK_FAILED      |
        | POPULATION.UPDATED         |
        | USER.DELETED               |
        | APPLICATION.CREATED        |
        | ACCOUNT.LINKED             |
        | MEMBER_OF_GROUP.CREATED    |

    @FLT-001
    Scenario: Events of two subscriptions at one receiver
      Given a subscription "creations" to "USER.CREATED" at receiver "receiver"
      And a subscription "deletions" to "USER.DELETED" at receiver "receiver"
      When user "Ada" is created
      And user "Ada" is deleted
      Then the events of "Ada" and "deletion of Ada" are delivered

    @FLT-001
    Scenario: Events just before and just after the subscription is changed
      Given a subscription to "USER.CREATED"
      When 3 users are created at once
      And the subscription is changed with:
        | name | another |
      And user "Ada" is created
      Then every event is delivered

    @FLT-002
    Scenario: Events of types that are not included
      Given a subscription to "USER.CREATED"
      When user "Ada" is created
      And user "Ada" is deleted
      And population "Staff" is created
      And user "Bob" is created
      Then only the events of "Ada" and "Bob" are delivered
      And every event is of type "USER.CREATED"

    @FLT-002 @needs:post-events
    Scenario: Events of types whose names begin or end like the included one
      Given a subscription to "PROVISION_CREDENTIAL.DELETED"
      When these events happen:
        | event    | type                                     |
        | longer   | PROVISION_CREDENTIAL.DELETED_FROM_WALLET |
        | sibling  | PROVISION_CREDENTIAL.CREATED             |
        | ending   | USER_CREDENTIAL.DELETED                  |
        | lower    | provision_credential.deleted             |
        | sentinel | PROVISION_CREDENTIAL.DELETED             |
      Then only the event of "sentinel" is delivered

    @FLT-002
    Scenario: An event of a type that is none of twenty-five
      Given a subscription to "USER.CREATED, USER.UPDATED, USER.LOCKED, USER.UNLOCKED, USER.MOVED, GROUP.CREATED, GROUP.UPDATED, GROUP.DELETED, ACCOUNT.LINKED, ACCOUNT.UNLINKED, ACTION.CREATED, ACTION.UPDATED, ACTION.DELETED, AGREEMENT.CREATED, AGREEMENT.UPDATED, AGREEMENT.DELETED, API_SERVER.CREATED, API_SERVER.UPDATED, API_SERVER.DELETED, APPLICATION.CREATED, APPLICATION.UPDATED, APPLICATION.DELETED, POPULATION.UPDATED, POPULATION.DELETED, PASSWORD.CHECK_FAILED"
      When user "Ada" is created
      And user "Ada" is deleted
      And population "Staff" is created
      And user "Bob" is created
      Then only the events of "Ada" and "Bob" are delivered

    @FLT-002
    Scenario: As NDJSON, events of types that are not included
      Given a subscription to "USER.CREATED" with:
        | body  | NDJSON   |
        | limit | 2 events |
      When population "Staff" is created
      And user "Ada" is created
      And user "Ada" is deleted
      And user "Bob" is created
      Then only the events of "Ada" and "Bob" are delivered

    @FLT-002 @needs:tcp-ip @needs:tcp-delivery
    Scenario Outline: Over TCP in format <format>, an event of a type that is not included
      Given a TCP subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | payloadOptions.payloadFormat.tcp.format | "<format>" |
      When population "Staff" is created
      And user "Ada" is created
      Then the data of "Ada" has come to "sink"
      And the data of "Staff" is not found at "sink"

      Examples:
        | format      |
        | JSON_DOC    |
        | RFC_LOGLINE |

    @FLT-003
    Scenario: Events of each of several included types
      Given a subscription to "USER.CREATED, USER.DELETED, POPULATION.CREATED"
      When user "Ada" is created
      And user "Ada" is deleted
      And population "Staff" is created
      Then the events of "Ada", "deletion of Ada" and "Staff" are delivered

    @FLT-003
    Scenario: Events of the last of twelve included types
      Given a subscription to "GROUP.CREATED, GROUP.UPDATED, GROUP.DELETED, USER.UPDATED, USER.LOCKED, USER.UNLOCKED, USER.MOVED, ACCOUNT.LINKED, POPULATION.UPDATED, POPULATION.DELETED, USER.DELETED, USER.CREATED"
      When user "Ada" is created
      And user "Ada" is deleted
      Then the events of "Ada" and "deletion of Ada" are delivered

  Rule: A population filter lets through what is done to users of the listed populations

    @FLT-004
    Scenario: A user of the listed population
      Given populations "Staff" and "Customers"
      And a subscription to "USER.CREATED, USER.DELETED" for population "Staff"
      When user "Ada" is created in population "Staff"
      And user "Ada" is deleted
      Then the events of "Ada" and "deletion of Ada" are delivered

    @FLT-005
    Scenario: A user of another population
      Given populations "Staff" and "Customers"
      And a subscription to "USER.CREATED" for population "Staff"
      When user "Carl" is created in population "Customers"
      And user "Dora" is created
      And user "Ada" is created in population "Staff"
      Then only the event of "Ada" is delivered

    @FLT-005
    Scenario: As NDJSON, a user of another population
      Given populations "Staff" and "Customers"
      And a subscription to "USER.CREATED" with:
        | body        | NDJSON |
        | populations | Staff  |
      When user "Carl" is created in population "Customers"
      And user "Ada" is created in population "Staff"
      Then only the event of "Ada" is delivered

    @FLT-005 @needs:tcp-ip @needs:tcp-delivery
    Scenario: Over TCP, a user of another population
      Given populations "Staff" and "Customers"
      And a TCP subscription "watch" to "USER.CREATED" at receiver "sink" with:
        | populations | Staff |
      When user "Carl" is created in population "Customers"
      And user "Ada" is created in population "Staff"
      Then the data of "Ada" has come to "sink"
      And the data of "Carl" is not found at "sink"

    @FLT-005
    Scenario: A user of a population that is none of several
      Given populations "Staff", "Customers" and "Partners"
      And a subscription to "USER.CREATED" for populations "Staff" and "Partners"
      When user "Carl" is created in population "Customers"
      And user "Ada" is created in population "Staff"
      Then only the event of "Ada" is delivered

    @FLT-005
    Scenario: A user of another population after the deletion of the only one
      Given populations "Staff" and "Customers"
      And a subscription to "USER.CREATED" for population "Staff"
      And a subscription "witness" to "USER.CREATED" at receiver "beside"
      When the deletion of population "Staff" is requested
      And user "Carl" is created in population "Customers"
      Then the event of "Carl" is delivered to "beside"
      When user "Dora" is created in population "Customers"
      Then the event of "Dora" is delivered to "beside"
      And the events of "Carl" and "Dora" have not come to "receiver"

    @FLT-005
    Scenario: A deletion in a population that is none of several
      Given populations "Staff", "Customers" and "Partners"
      And a subscription to "USER.CREATED, USER.DELETED" for populations "Staff" and "Partners"
      When user "Carl" is created in population "Customers"
      And user "Carl" is deleted
      And user "Ada" is created in population "Staff"
      Then only the event of "Ada" is delivered

    @FLT-006
    Scenario: Users of each of several listed populations
      Given populations "Staff", "Customers" and "Partners"
      And a subscription to "USER.CREATED" for populations "Staff", "Customers" and "Partners"
      When user "Pia" is created in population "Partners"
      And user "Ada" is created in population "Staff"
      And user "Carl" is created in population "Customers"
      Then the events of "Pia", "Ada" and "Carl" are delivered

    @FLT-006
    Scenario: A user of the last of ten listed populations
      Given 10 populations
      And a subscription to "USER.CREATED" with:
        | populations | population 1, population 2, population 3, population 4, population 5, population 6, population 7, population 8, population 9, population 10 |
      When user "Ada" is created in population "population 10"
      And user "Bob" is created in population "population 5"
      Then the events of "Ada" and "Bob" are delivered

    @FLT-005 @needs:post-events
    Scenario: The application matches and the population does not
      Given populations "Staff" and "Customers"
      And application "Shop"
      And a subscription to "USER.CREATED" with:
        | populations  | Staff |
        | applications | Shop  |
      When these events happen:
        | event     | user of   | by application |
        | customer  | Customers | Shop           |
        | colleague | Staff     | Shop           |
      Then only the event of "colleague" is delivered

    @FLT-007 @needs:post-events
    Scenario: The user acted on counts, not the acting user
      Given populations "Staff" and "Customers"
      And a subscription to "USER.UPDATED" for population "Staff"
      When these events happen:
        | event             | type         | by user of | user of   |
        | staff on customer | USER.UPDATED | Staff      | Customers |
        | customer on staff | USER.UPDATED | Customers  | Staff     |
        | staff on staff    | USER.UPDATED | Staff      | Staff     |
      Then only the events of "customer on staff" and "staff on staff" are delivered

    @FLT-007 @needs:post-events
    Scenario: The acting user does not count where the user acted on has no population
      Given population "Staff"
      And a subscription to "USER.UPDATED" for population "Staff"
      When these events happen:
        | event             | type         | by user of | user of |
        | staff on somebody | USER.UPDATED | Staff      |         |
        | staff on staff    | USER.UPDATED | Staff      | Staff   |
      Then only the event of "staff on staff" is delivered

  Rule: An application filter lets through what the listed applications do

    @FLT-008 @needs:post-events
    Scenario: Events of several applications and of none
      Given applications "Shop", "Desk" and "Till"
      And a subscription to "USER.CREATED" for applications "Shop" and "Till"
      When these events happen:
        | event     | by application |
        | by shop   | Shop           |
        | by desk   | Desk           |
        | by nobody | none           |
        | by till   | Till           |
      Then only the events of "by shop" and "by till" are delivered

    @FLT-008 @needs:post-events
    Scenario: The last of ten listed applications
      Given 10 applications
      And a subscription to "USER.CREATED" with:
        | applications | application 1, application 2, application 3, application 4, application 5, application 6, application 7, application 8, application 9, application 10 |
      When these events happen:
        | event     | by application |
        | by tenth  | application 10 |
        | by nobody | none           |
        | by fifth  | application 5  |
      Then only the events of "by tenth" and "by fifth" are delivered

    @FLT-008 @needs:post-events
    Scenario: The population matches and the application does not
      Given populations "Staff" and "Customers"
      And applications "Shop" and "Desk"
      And a subscription to "USER.CREATED" with:
        | populations  | Staff |
        | applications | Shop  |
      When these events happen:
        | event   | user of | by application |
        | by desk | Staff   | Desk           |
        | by shop | Staff   | Shop           |
      Then only the event of "by shop" is delivered

    @FLT-010 @needs:post-events
    Scenario: Without the filter, the events of all applications
      Given applications "Shop" and "Desk"
      And a subscription to "USER.CREATED"
      When these events happen:
        | event     | by application |
        | by shop   | Shop           |
        | by desk   | Desk           |
        | by nobody | none           |
      Then the events of "by shop", "by desk" and "by nobody" are delivered

    @FLT-010
    Scenario: Without the filter, what the suite's own client does
      Given application "Shop"
      And a subscription to "USER.CREATED, POPULATION.CREATED"
      When user "Ada" is created
      And population "Staff" is created
      Then the events of "Ada" and "Staff" are delivered

  Rule: A tag filter lets through what carries the tag

    @FLT-011 @needs:post-events
    Scenario: Without the filter, tagged and untagged events
      Given a subscription to "USER.UPDATED"
      When these events happen:
        | event    | type         | tag                |
        | tagged   | USER.UPDATED | adminIdentityEvent |
        | untagged | USER.UPDATED |                    |
      Then the events of "tagged" and "untagged" are delivered

    @FLT-011
    Scenario: Without the filter, an untagged event
      Given a subscription to "USER.CREATED"
      When user "Ada" is created
      Then the event of "Ada" is delivered

    @FLT-012 @needs:post-events
    Scenario: With the filter, tagged events only
      Given a subscription to "USER.UPDATED, USER.CREATED" with:
        | tags | adminIdentityEvent |
      When user "Ada" is created
      And these events happen:
        | event    | type         | tag                   |
        | first    | USER.UPDATED | adminIdentityEvent    |
        | untagged | USER.UPDATED |                       |
        | other    | USER.UPDATED | adminIdentity         |
        | longer   | USER.UPDATED | adminIdentityEventual |
        | wrong    | USER.DELETED | adminIdentityEvent    |
        | sentinel | USER.UPDATED | adminIdentityEvent    |
      Then only the events of "first" and "sentinel" are delivered

    @FLT-005 @needs:post-events
    Scenario: The tag matches and the population does not
      Given populations "Staff" and "Customers"
      And a subscription to "USER.UPDATED" with:
        | populations | Staff              |
        | tags        | adminIdentityEvent |
      When these events happen:
        | event     | type         | user of   | tag                |
        | customer  | USER.UPDATED | Customers | adminIdentityEvent |
        | colleague | USER.UPDATED | Staff     | adminIdentityEvent |
      Then only the event of "colleague" is delivered

    @FLT-012 @needs:post-events
    Scenario: The population matches and the tag does not
      Given population "Staff"
      And a subscription to "USER.UPDATED" with:
        | populations | Staff              |
        | tags        | adminIdentityEvent |
      When these events happen:
        | event    | type         | user of | tag                |
        | untagged | USER.UPDATED | Staff   |                    |
        | tagged   | USER.UPDATED | Staff   | adminIdentityEvent |
      Then only the event of "tagged" is delivered

  @needs:post-events
  Rule: An event must pass every filter that there is

    Scenario Outline: All filters match but that by <filter>
      Given populations "Staff", "Customers" and "Partners"
      And applications "Shop", "Desk" and "Till"
      And a subscription to "USER.UPDATED" with:
        | populations  | Staff, Partners    |
        | applications | Shop, Till         |
        | tags         | adminIdentityEvent |
      When these events happen:
        | event    | type         | user of      | by application | tag                |
        | outside  | USER.UPDATED | <population> | <application>  | <tag>              |
        | matching | USER.UPDATED | Partners     | Till           | adminIdentityEvent |
      Then only the event of "matching" is delivered

      @FLT-005
      Examples:
        | filter     | population | application | tag                |
        | population | Customers  | Till        | adminIdentityEvent |

      @FLT-008
      Examples:
        | filter      | population | application | tag                |
        | application | Partners   | Desk        | adminIdentityEvent |

      @FLT-012
      Examples:
        | filter | population | application | tag |
        | tag    | Partners   | Till        |     |

    Scenario Outline: Of two populations and two applications only the <filter> matches
      Given populations "Staff", "Customers" and "Partners"
      And applications "Shop", "Desk" and "Till"
      And a subscription to "USER.CREATED" with:
        | populations  | Staff, Partners |
        | applications | Shop, Till      |
      When these events happen:
        | event    | user of      | by application |
        | outside  | <population> | <application>  |
        | matching | Partners     | Till           |
      Then only the event of "matching" is delivered

      @FLT-005
      Examples:
        | filter      | population | application |
        | application | Customers  | Till        |

      @FLT-008
      Examples:
        | filter     | population | application |
        | population | Partners   | Desk        |

    Scenario Outline: Of application and tag only the <filter> matches
      Given applications "Shop" and "Desk"
      And a subscription to "USER.UPDATED" with:
        | applications | Shop               |
        | tags         | adminIdentityEvent |
      When these events happen:
        | event    | type         | by application | tag                |
        | outside  | USER.UPDATED | <application>  | <tag>              |
        | matching | USER.UPDATED | Shop           | adminIdentityEvent |
      Then only the event of "matching" is delivered

      @FLT-008
      Examples:
        | filter | application | tag                |
        | tag    | Desk        | adminIdentityEvent |

      @FLT-012
      Examples:
        | filter      | application | tag |
        | application | Shop        |     |

  @FLT-009
  Rule: Filters of different kinds combine with AND

    Scenario: The type matches and the population does not
      Given populations "Staff" and "Customers"
      And a subscription to "USER.CREATED" for population "Staff"
      When user "Carl" is created in population "Customers"
      And user "Ada" is created in population "Staff"
      Then only the event of "Ada" is delivered

    Scenario: The population matches and the type does not
      Given population "Staff"
      And a subscription to "USER.DELETED" for population "Staff"
      When user "Ada" is created in population "Staff"
      And user "Ada" is deleted
      Then only the event of "deletion of Ada" is delivered

    @needs:post-events
    Scenario: The type matches and there is no population to match
      Given population "Staff"
      And a subscription to "USER.CREATED" for population "Staff"
      When these events happen:
        | event     | user of |
        | nowhere   |         |
        | colleague | Staff   |
      Then only the event of "colleague" is delivered

  @FLT-013
  Rule: A subscription begins when it is created

    Scenario: Events from before the subscription
      Given population "Staff"
      When users "Ada" and "Bob" are created
      And user "Cleo" is created in population "Staff"
      Given a subscription to "USER.CREATED"
      When user "Dora" is created
      Then only the event of "Dora" is delivered

  @FLT-014
  Rule: Every subscription that an event matches gets it

    Scenario: Two subscriptions that overlap
      Given a subscription "creations" to "USER.CREATED" at receiver "first"
      And a subscription "all changes" to "USER.CREATED, USER.DELETED" at receiver "second"
      When users "Ada" and "Bob" are created
      And user "Ada" is deleted
      Then the events of "Ada" and "Bob" are delivered to "first"
      And the events of "Ada", "Bob" and "deletion of Ada" are delivered to "second"

  @FLT-015
  Rule: Changed filters count from the change on

    Scenario: Another type
      Given a subscription "changing" to "USER.CREATED" at receiver "receiver"
      When user "Ada" is created
      Then the event of "Ada" is delivered
      When subscription "changing" is changed to "USER.DELETED"
      And user "Bob" is created
      And user "Ada" is deleted
      Then only the events of "Ada" and "deletion of Ada" are delivered

    Scenario: Another population
      Given populations "Staff" and "Customers"
      And a subscription "changing" to "USER.CREATED" at receiver "receiver" with:
        | populations | Staff |
      When subscription "changing" is changed to population "Customers"
      And user "Ada" is created in population "Staff"
      And user "Carl" is created in population "Customers"
      Then only the event of "Carl" is delivered

    Scenario: Any population
      Given populations "Staff" and "Customers"
      And a subscription "changing" to "USER.CREATED" at receiver "receiver" with:
        | populations | Staff |
      When subscription "changing" is changed with:
        | filterOptions.includedPopulations | absent |
      And user "Carl" is created in population "Customers"
      And user "Ada" is created in population "Staff"
      Then the events of "Carl" and "Ada" are delivered

    @needs:post-events
    Scenario: A tag
      Given a subscription "changing" to "USER.UPDATED" at receiver "receiver"
      When subscription "changing" is changed with:
        | tags | adminIdentityEvent |
      And these events happen:
        | event    | type         | tag                |
        | untagged | USER.UPDATED |                    |
        | tagged   | USER.UPDATED | adminIdentityEvent |
      Then only the event of "tagged" is delivered

    @needs:post-events
    Scenario: Another application
      Given applications "Shop" and "Desk"
      And a subscription "changing" to "USER.CREATED" at receiver "receiver" with:
        | applications | Shop |
      When subscription "changing" is changed with:
        | applications | Desk |
      And these events happen:
        | event   | by application |
        | by shop | Shop           |
        | by desk | Desk           |
      Then only the event of "by desk" is delivered

  @FLT-016
  Rule: An environment's events are its own

    Scenario: An event in another environment
      Given another environment "elsewhere"
      And a subscription to "USER.CREATED"
      When user "Eve" is created in environment "elsewhere"
      And user "Ada" is created
      Then only the event of "Ada" is delivered
