@emitter
Feature: Subscriptions
  A subscription is created, read, listed, replaced and deleted by requests to its environment.

  Background:
    Given an environment

  @SUB-CRUD-001
  Rule: A valid subscription is accepted

    Scenario: A subscription with nothing but what is required is accepted
      When a subscription is requested
      Then the request is accepted

    Scenario: A subscription with every option is accepted
      When a subscription with every option is requested
      Then the request is accepted

  @SUB-CRUD-002
  Rule: The server gives every subscription an id, which is a UUID

    Scenario: The id is a UUID
      When a subscription is requested
      Then the answer's "id" is a UUID

    Scenario: Every subscription has an id of its own
      When 3 subscriptions are requested
      Then no two have the same id

  @SUB-CRUD-003
  Rule: A created subscription tells its environment

    Scenario: The environment is the one of the request
      When a subscription is requested
      Then the answer's "environment.id" is that of the environment

  @SUB-CRUD-004
  Rule: A created subscription tells when it was created, in UTC

    Scenario: The creation time is the time of the request
      When a subscription is requested
      Then the answer's "createdAt" is the time of the request

  @SUB-CRUD-005
  Rule: A subscription links to itself

    Scenario: The link of a subscription to itself leads to it
      Given a subscription with every option
      When the subscription's self link is followed
      Then the answer is the same subscription

    Scenario: The link of a subscription that was replaced leads to it
      Given a subscription
      When the subscription is replaced with:
        | header X-Tenant | seven |
      And the self link of the answer is followed
      Then the answer is the same subscription

    Scenario: The link of a subscription that was read leads to it
      Given a subscription with every option
      When the subscription is read
      And the self link of the answer is followed
      Then the answer is the same subscription

  @SUB-CRUD-006
  Rule: A subscription links to its environment

    Scenario: The link to the environment is its address
      When a subscription is requested
      Then the answer links to its environment

  @SUB-CRUD-007
  Rule: The answer to a create repeats what was sent

    Scenario: Every option is repeated
      When a subscription with every option is requested
      Then the answer repeats what was sent

    Scenario Outline: A URL <form> is repeated as it was sent
      When a subscription is requested with:
        | httpEndpoint.url | "<url>" |
      Then the answer repeats what was sent

      Examples:
        | form                      | url                                                  |
        | without a path            | https://hookproof.example                            |
        | that ends in a slash      | https://hookproof.example/                           |
        | with the default port     | https://hookproof.example:443/hooks                  |
        | with a query              | https://hookproof.example/hooks?a=1&b=two&a=3        |
        | with escapes and capitals | https://Hookproof.Example/Hooks/%C3%a9t%C3%A9/%2Fend |

    Scenario Outline: The format <format> is repeated
      When a subscription is requested with:
        | format | "<format>" |
      Then the answer repeats what was sent

      Examples:
        | format   |
        | ACTIVITY |
        | SPLUNK   |
        | NEWRELIC |

    Scenario Outline: A subscription that is <enabled> and does <verify> certificates is repeated
      When a subscription is requested with:
        | enabled               | <enabledValue> |
        | verifyTlsCertificates | <verifyValue>  |
      Then the answer repeats what was sent

      Examples:
        | enabled  | enabledValue | verify     | verifyValue |
        | enabled  | true         | not verify | false       |
        | disabled | false        | verify     | true        |

    Scenario: A name in other scripts, and many types, are repeated
      When a subscription is requested with:
        | name                              | "Überwachung «eins» 監視 🔔"                                                               |
        | filterOptions.includedActionTypes | ["USER.UPDATED","GROUP.CREATED","USER.CREATED","USER.ACCESS_ALLOWED","POPULATION.DELETED"] |
      Then the answer repeats what was sent

  @SUB-CRUD-008
  Rule: A subscription reads as it was created

    Scenario: A subscription with every option reads as it was created
      Given a subscription with every option
      Then it reads as it was created

    Scenario: A minimal subscription reads as it was created
      Given a subscription
      Then it reads as it was created

  @SUB-CRUD-009
  Rule: The list of an environment holds its subscriptions

    Scenario: Enabled and disabled subscriptions are listed
      Given 3 subscriptions, every second one disabled
      When the subscriptions are listed
      Then the list holds every subscription

  @SUB-CRUD-010
  Rule: The list counts itself

    Scenario: Count and size are the number of subscriptions listed
      Given 3 subscriptions
      When the subscriptions are listed
      Then the list counts itself

  @SUB-CRUD-011
  Rule: The list is one page

    Scenario: A short list has no second page
      Given 3 subscriptions
      When the subscriptions are listed
      Then the list is one page with a link to itself

    @needs:environments @whole-environment
    Scenario: A list of 50 has no second page
      Given 50 subscriptions
      When the subscriptions are listed
      Then the list is one page with a link to itself

  @SUB-CRUD-012
  Rule: The list of an environment without subscriptions is empty

    Scenario: A fresh environment lists nothing
      When the subscriptions are listed
      Then the list holds 0 subscriptions

  @SUB-CRUD-013
  Rule: A replaced subscription reads as it was sent

    Scenario: A replacement is accepted and read back
      Given population "Partners"
      And application "Kiosk"
      And a subscription with every option
      When the subscription is replaced with:
        | enabled          | false                                 |
        | httpEndpoint.url | "https://hookproof.example/elsewhere" |
        | header X-Tenant  | eight                                 |
        | header X-Other   | new                                   |
        | format           | "SPLUNK"                              |
        | populations      | Partners                              |
        | applications     | Kiosk                                 |
        | exposes          | user agent                            |
        | limit            | 64 KB                                 |
        | body             | NDJSON                                |
      Then the answer is 200
      And it reads as it was sent

    Scenario: Options are added to a minimal subscription
      Given a subscription
      When the subscription is replaced with:
        | verifyTlsCertificates | true               |
        | header X-Tenant       | seven              |
        | format                | "ACTIVITY"         |
        | tags                  | adminIdentityEvent |
        | exposes               | IP address         |
        | limit                 | 10 events          |
        | body                  | pretty array       |
      Then the answer is 200
      And it reads as it was sent

    @needs:environments @whole-environment
    Scenario: One of 50 subscriptions is replaced
      Given 50 subscriptions
      When subscription "subscription 7" is replaced with:
        | header X-Tenant | seven |
      Then the answer is 200

  @SUB-CRUD-014
  Rule: A replacement leaves nothing of what it does not name

    Scenario: Every option that is left out is gone
      Given a subscription with every option
      When the subscription is replaced
      Then a read shows none of:
        | httpEndpoint.headers               |
        | format                             |
        | filterOptions.includedApplications |
        | filterOptions.includedPopulations  |
        | filterOptions.includedTags         |
        | payloadOptions                     |

    Scenario: A header that is left out is gone, though another stays
      Given a subscription with every option
      When the subscription is replaced with:
        | header X-Tenant | seven |
      Then a read shows none of:
        | httpEndpoint.headers.Authorization |
        | httpEndpoint.headers.Content-Type  |
      And it reads as it was sent

    Scenario: Half of the payload options is left out and gone
      Given a subscription with every option
      When the subscription is replaced with:
        | body | array |
      Then a read shows none of:
        | payloadOptions.maximumPayloadLimit             |
        | payloadOptions.payloadFormat.https.prettyPrint |
      And it reads as it was sent

    Scenario: One of two populations is left out and gone
      Given a subscription with every option
      When the subscription is replaced with:
        | populations | Staff |
      Then it reads as it was sent

  @SUB-CRUD-015
  Rule: A replacement leaves the subscription's identity

    Scenario: Id, environment and creation time stay
      Given a subscription
      And the subscription has grown older
      When the subscription is replaced
      Then its id, environment and creation time are as before

  @SUB-CRUD-016
  Rule: A replaced subscription tells when it was updated

    Scenario: The update is not before the creation
      Given a subscription
      And the subscription has grown older
      When the subscription is replaced
      Then the answer's "updatedAt" is not before its "createdAt"

  @SUB-CRUD-017
  Rule: A deletion is answered with 204 and nothing else

    Scenario: A subscription is deleted
      Given a subscription
      When the subscription is deleted
      Then the answer is 204 without a body

  @SUB-CRUD-018
  Rule: A deleted subscription is not found

    Scenario: A subscription is read after its deletion
      Given a subscription
      When the subscription is deleted
      And the subscription is read
      Then the answer is 404

  @SUB-CRUD-019
  Rule: What there is not cannot be changed

    @needs:environments
    Scenario: A subscription is deleted in an environment that is not its own
      Given another environment "Elsewhere"
      And a subscription
      When the subscription is deleted in environment "Elsewhere"
      Then the answer is 404
      When the subscription is read
      Then the answer is 200

    @needs:environments
    Scenario: A subscription is replaced in an environment that is not its own
      Given another environment "Elsewhere"
      And a subscription
      When the subscription is replaced in environment "Elsewhere"
      Then the answer is 404
      And it reads as it was created

    Scenario Outline: An unknown subscription is <changed>
      When an unknown subscription is <changed>
      Then the answer is 404

      Examples:
        | changed  |
        | replaced |
        | deleted  |

  @SUB-CRUD-020
  Rule: A subscription belongs to one environment

    Background:
      Given another environment "Elsewhere"
      And a subscription

    Scenario: Another environment does not list it
      When the subscriptions of environment "Elsewhere" are listed
      Then the list does not hold the subscription

    Scenario: Another environment does not find it
      When the subscription is read in environment "Elsewhere"
      Then the answer is 404

  @SUB-CRUD-022
  Rule: What the server assigns cannot be sent

    Scenario Outline: A create with <what> of the client's own
      When a subscription is requested with:
        | <member> | "<value>" |
      Then the server's own "<member>" stands, or the request is refused

      Examples:
        | what            | member         | value                                |
        | an id           | id             | 5f0c1b6e-31a4-4a59-9d1a-0f6f4f1f2a33 |
        | a creation time | createdAt      | 2001-02-03T04:05:06.789Z             |
        | an environment  | environment.id | 0b8c2a3d-0d5a-4c8e-8f53-6f0e9f4d7b21 |

    Scenario Outline: A replacement with <what> of the client's own
      Given a subscription
      When the subscription is replaced with:
        | <member> | "<value>" |
      Then the server's own "<member>" stands, or the request is refused

      Examples:
        | what            | member         | value                                |
        | an id           | id             | 5f0c1b6e-31a4-4a59-9d1a-0f6f4f1f2a33 |
        | a creation time | createdAt      | 2001-02-03T04:05:06.789Z             |
        | an environment  | environment.id | 0b8c2a3d-0d5a-4c8e-8f53-6f0e9f4d7b21 |

  @SUB-CRUD-023
  Rule: Answers are of type application/json

    Scenario: The answer to a create is JSON by its type
      When a subscription is requested
      Then the answer is of type "application/json"

    Scenario: The answer to a read is JSON by its type
      Given a subscription
      When the subscription is read
      Then the answer is of type "application/json"

    Scenario: The answer to a list is JSON by its type
      When the subscriptions are listed
      Then the answer is of type "application/json"

    Scenario: The answer to a replacement is JSON by its type
      Given a subscription
      When the subscription is replaced
      Then the answer is of type "application/json"

    Scenario: The answer to a read of what there is not is JSON by its type
      When an unknown subscription is read
      Then the answer is of type "application/json"

  @SUB-CRUD-025
  Rule: There is no partial update

    Scenario: A PATCH is refused
      Given a subscription
      When the subscription is patched
      Then the request is refused

  @SUB-CRUD-026
  Rule: Header values are shown in clear

    Scenario: Credentials in a header are read back as they were sent
      Given a subscription with:
        | header Authorization | Basic aG9va3Byb29mOm9wZW4gc2VzYW1l |
        | header X-Api-Key     | 7d1c52f0b6e94c                     |
      When the subscription is read
      Then it reads as it was sent

    Scenario: Credentials in a header that was replaced are read back as they were sent
      Given a subscription with:
        | header Authorization | Basic aG9va3Byb29mOm9wZW4gc2VzYW1l |
      When the subscription is replaced with:
        | header Authorization | Basic aG9va3Byb29mOmNsb3NlZA== |
        | header X-Api-Key     | 7d1c52f0b6e94c                 |
      And the subscription is read
      Then it reads as it was sent
