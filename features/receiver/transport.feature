@receiver
Feature: Taking deliveries
  A webhook is an HTTPS server that is reachable over IPv4 and takes a POST with events.

  @RCV-001
  Rule: The endpoint is an HTTPS server that is reachable over IPv4

    Scenario: A connection over IPv4, a handshake and an answer
      When the suite meets the receiver over IPv4
      Then it answers by HTTP over TLS

  @RCV-002
  Rule: A POST with an array of events is answered 200

    Scenario: Deliveries of several events
      Given the receiver under test, subscribed to "USER.CREATED"
      When 20 events happen at once
      Then every delivery is answered 200

    Scenario: A delivery of events of many kinds
      Given the receiver under test, subscribed to "USER.DELETED, USER.UPDATED, FLOW.DELETED, POPULATION.CREATED, APPLICATION.CREATED, ROLE_ASSIGNMENT.CREATED"
      When sample events "user-deleted", "user-updated", "flow-deleted", "population-created", "application-created" and "role-assignment-created-admin-identity" happen at once
      Then every delivery is answered 200

    Scenario: A delivery of an event about several resources
      Given the receiver under test, subscribed to "USER.CREATED, MEMBER_OF_GROUP.CREATED"
      When sample events "user-created" and "group-member-created-three-resources" happen at once
      Then every delivery is answered 200

    Scenario Outline: An event posted <how>
      When an event is posted to the receiver <how>
      Then the post is answered 200

      Examples:
        | how                                     |
        | over HTTP/1.1                           |
        | by a client that also speaks HTTP/2     |
        | in chunks                               |
        | with the names of headers in lower case |
