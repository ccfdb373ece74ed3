package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/patrickcping/pingone-go-sdk-v2/management"

	"github.com/hookproof/hookproof/fixtures/pki"
)

// vendorClient is the vendor ecosystem's own client with a token of this API, and an environment that it made.
type vendorClient struct {
	*world
	*management.APIClient
	ctx context.Context
	env string
}

func newVendorClient(t *testing.T) *vendorClient {
	t.Helper()
	w := newWorld(t)
	address, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	configuration := management.NewConfiguration()
	configuration.Scheme, configuration.Host = address.Scheme, address.Host
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	configuration.HTTPClient = &http.Client{Transport: transport}
	// A refusal that the client takes for a passing one is repeated for minutes; the deadline makes that a failure.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	c := &vendorClient{world: w, APIClient: management.NewAPIClient(configuration)}
	c.ctx = context.WithValue(ctx, management.ContextAccessToken, w.token)

	region := management.ENUMREGIONCODE_EU
	made, response, err := c.EnvironmentsApi.CreateEnvironmentActiveLicense(c.ctx).Environment(*management.NewEnvironment(
		*management.NewEnvironmentLicense("7c3d2f58-19b4-4d6a-8f21-b0e94a6c8d33"), "SDK", management.EnvironmentRegion{EnumRegionCode: &region},
		management.ENUMENVIRONMENTTYPE_SANDBOX)).Execute()
	c.ok(201, response, err)
	c.env = made.GetId()
	return c
}

// ok demands that the client understood an answer, and its status.
func (c *vendorClient) ok(status int, response *http.Response, err error) {
	c.Helper()
	if err != nil || response == nil || response.StatusCode != status {
		c.Fatalf("want %d: %v, %v", status, response, err)
	}
}

// refusedWith demands an error with a status.
func (c *vendorClient) refusedWith(status int, response *http.Response, err error) {
	c.Helper()
	if err == nil || response == nil || response.StatusCode != status {
		c.Fatalf("want a refusal with %d: %v, %v", status, response, err)
	}
}

// listed counts what the client's iterator brings, over all pages.
func listed[T any](c *vendorClient, pages management.EntityArrayPagedIterator, of func(*management.EntityArrayEmbedded) []T) int {
	c.Helper()
	n := 0
	for page, err := range pages {
		if err != nil {
			c.Fatal(err)
		}
		embedded := page.EntityArray.GetEmbedded()
		n += len(of(&embedded))
	}
	return n
}

func TestVendorClientManagesEnvironments(t *testing.T) {
	t.Parallel()
	c := newVendorClient(t)
	read, response, err := c.EnvironmentsApi.ReadOneEnvironment(c.ctx, c.env).Execute()
	c.ok(200, response, err)
	if created, err := time.Parse(time.RFC3339, read.GetCreatedAt()); err != nil || time.Since(created).Abs() > time.Minute {
		t.Errorf("createdAt %q: %v", read.GetCreatedAt(), err)
	}
	read.Name = "Renamed"
	put, response, err := c.EnvironmentsApi.UpdateEnvironment(c.ctx, c.env).Environment(*read).Execute()
	c.ok(200, response, err)
	if put.Name != "Renamed" {
		t.Errorf("name %q", put.Name)
	}
	found := listed(c, c.EnvironmentsApi.ReadAllEnvironments(c.ctx).Filter(`name sw "Ren"`).Execute(), (*management.EntityArrayEmbedded).GetEnvironments)
	if found != 1 {
		t.Errorf("%d environments found", found)
	}
	response, err = c.EnvironmentsApi.DeleteEnvironment(c.ctx, c.env).Execute()
	c.ok(204, response, err)
	_, response, err = c.EnvironmentsApi.ReadOneEnvironment(c.ctx, c.env).Execute()
	c.refusedWith(404, response, err)
}

func TestVendorClientManagesPopulationsAndUsers(t *testing.T) {
	t.Parallel()
	c := newVendorClient(t)
	population, response, err := c.PopulationsApi.CreatePopulation(c.ctx, c.env).Population(*management.NewPopulation("Staff")).Execute()
	c.ok(201, response, err)
	if population.Theme == nil || population.GetPreferredLanguage() == "" || population.Environment.GetId() != c.env {
		t.Errorf("%+v", population)
	}
	population.SetDescription("d")
	population, response, err = c.PopulationsApi.UpdatePopulation(c.ctx, c.env, population.GetId()).Population(*population).Execute()
	c.ok(200, response, err)

	user := management.NewUser("u@example.com", "u")
	user.SetPopulation(*management.NewUserPopulation(population.GetId()))
	user, response, err = c.UsersApi.CreateUser(c.ctx, c.env).User(*user).Execute()
	c.ok(201, response, err)
	user.SetNickname("n")
	user, response, err = c.UsersApi.UpdateUserPut(c.ctx, c.env, user.GetId()).User(*user).Execute()
	c.ok(200, response, err)
	read, response, err := c.UsersApi.ReadUser(c.ctx, c.env, user.GetId()).Execute()
	c.ok(200, response, err)
	if read.GetNickname() != "n" || read.Population.GetId() != population.GetId() {
		t.Errorf("%+v", read)
	}
	filter := fmt.Sprintf(`population.id eq "%s"`, population.GetId())
	if n := listed(c, c.UsersApi.ReadAllUsers(c.ctx, c.env).Filter(filter).Execute(), (*management.EntityArrayEmbedded).GetUsers); n != 1 {
		t.Errorf("%d users", n)
	}
	response, err = c.UsersApi.DeleteUser(c.ctx, c.env, user.GetId()).Execute()
	c.ok(204, response, err)
	_, response, err = c.UsersApi.ReadUser(c.ctx, c.env, user.GetId()).Execute()
	c.refusedWith(404, response, err)
	for i := range 3 {
		_, response, err := c.UsersApi.CreateUser(c.ctx, c.env).User(*management.NewUser("u@example.com", fmt.Sprint("u", i))).Execute()
		c.ok(201, response, err)
	}
	if n := listed(c, c.UsersApi.ReadAllUsers(c.ctx, c.env).Limit(2).Execute(), (*management.EntityArrayEmbedded).GetUsers); n != 3 {
		t.Errorf("%d users over pages", n)
	}
	response, err = c.PopulationsApi.DeletePopulation(c.ctx, c.env, population.GetId()).Execute()
	c.ok(204, response, err)
	if n := listed(c, c.PopulationsApi.ReadAllPopulations(c.ctx, c.env).Execute(), (*management.EntityArrayEmbedded).GetPopulations); n != 1 {
		t.Errorf("%d populations are left", n)
	}
}

func TestVendorClientManagesApplications(t *testing.T) {
	t.Parallel()
	c := newVendorClient(t)
	oidc := management.NewApplicationOIDC(true, "A", management.ENUMAPPLICATIONPROTOCOL_OPENID_CONNECT,
		management.ENUMAPPLICATIONTYPE_SINGLE_PAGE_APP, management.ENUMAPPLICATIONOIDCTOKENAUTHMETHOD_NONE)
	oidc.SetRedirectUris([]string{"https://app.example/b", "https://app.example/a"})
	made, response, err := c.ApplicationsApi.CreateApplication(c.ctx, c.env).
		CreateApplicationRequest(management.ApplicationOIDCAsCreateApplicationRequest(oidc)).Execute()
	c.ok(201, response, err)
	application := made.ApplicationOIDC
	if application.GetRedirectUris()[0] != "https://app.example/b" || application.Environment.GetId() != c.env {
		t.Errorf("%+v", application)
	}
	application.Name = "B"
	_, response, err = c.ApplicationsApi.UpdateApplication(c.ctx, c.env, application.GetId()).
		UpdateApplicationRequest(management.ApplicationOIDCAsUpdateApplicationRequest(application)).Execute()
	c.ok(200, response, err)
	read, response, err := c.ApplicationsApi.ReadOneApplication(c.ctx, c.env, application.GetId()).Execute()
	c.ok(200, response, err)
	if read.ApplicationOIDC.Name != "B" {
		t.Errorf("%+v", read.ApplicationOIDC)
	}
	secret, response, err := c.ApplicationSecretApi.ReadApplicationSecret(c.ctx, c.env, application.GetId()).Execute()
	c.ok(200, response, err)
	if secret.GetSecret() == "" {
		t.Error("no secret")
	}
	if n := listed(c, c.ApplicationsApi.ReadAllApplications(c.ctx, c.env).Execute(), (*management.EntityArrayEmbedded).GetApplications); n != 1 {
		t.Errorf("%d applications", n)
	}
	response, err = c.ApplicationsApi.DeleteApplication(c.ctx, c.env, application.GetId()).Execute()
	c.ok(204, response, err)
	_, response, err = c.ApplicationsApi.ReadOneApplication(c.ctx, c.env, application.GetId()).Execute()
	c.refusedWith(404, response, err)
}

func TestVendorClientManagesKeysAndCertificates(t *testing.T) {
	t.Parallel()
	c := newVendorClient(t)
	file := []byte(c.pkcs12(pki.Leaf{Name: "client", Client: true, RSA: true}, "p"))
	key, response, err := c.CertificateManagementApi.CreateKey(c.ctx, c.env).ContentType("multipart/form-data").
		UsageType("OUTBOUND_MTLS").Password("p").File(&file).Execute()
	c.ok(201, response, err)
	if key.UsageType != management.ENUMCERTIFICATEKEYUSAGETYPE_OUTBOUND_MTLS || key.Default == nil || key.KeyLength != 2048 {
		t.Errorf("%+v", key)
	}
	_, response, err = c.CertificateManagementApi.GetKey(c.ctx, c.env, key.GetId()).Execute()
	c.ok(200, response, err)
	keys, response, err := c.CertificateManagementApi.GetKeys(c.ctx, c.env).Execute()
	c.ok(200, response, err)
	if n := len(keys.Embedded.GetKeys()); n != 1 {
		t.Errorf("%d keys", n)
	}
	_, response, err = c.CertificateManagementApi.UpdateKey(c.ctx, c.env, key.GetId()).
		CertificateKeyUpdate(*management.NewCertificateKeyUpdate(false, management.ENUMCERTIFICATEKEYUSAGETYPE_SIGNING)).Execute()
	c.ok(200, response, err)
	response, err = c.CertificateManagementApi.DeleteKey(c.ctx, c.env, key.GetId()).Execute()
	c.ok(204, response, err)

	authority, err := pki.NewAuthority("Private Root")
	if err != nil {
		t.Fatal(err)
	}
	pem := authority.PEM()
	certificate, response, err := c.CertificateManagementApi.CreateCertificateFromFile(c.ctx, c.env).UsageType("SSL/TLS").File(&pem).Execute()
	c.ok(202, response, err)
	_, response, err = c.CertificateManagementApi.GetCertificate(c.ctx, c.env, certificate.GetId()).Execute()
	c.ok(200, response, err)
	certificates, response, err := c.CertificateManagementApi.GetCertificates(c.ctx, c.env).Execute()
	c.ok(200, response, err)
	if n := len(certificates.Embedded.GetCertificates()); n != 1 {
		t.Errorf("%d certificates", n)
	}
	response, err = c.CertificateManagementApi.DeleteCertificate(c.ctx, c.env, certificate.GetId()).Execute()
	c.ok(204, response, err)
}

func TestVendorClientManagesSubscriptionsUpToTheLimit(t *testing.T) {
	t.Parallel()
	c := newVendorClient(t)
	wanted := management.NewSubscription(true, *management.NewSubscriptionFilterOptions([]string{"USER.CREATED"}), "S", true)
	wanted.SetHttpEndpoint(*management.NewSubscriptionHttpEndpoint("https://receiver.example/hook"))
	wanted.SetProtocol(management.ENUMSUBSCRIPTIONPROTOCOL_HTTPS)
	made, response, err := c.SubscriptionsWebhooksApi.CreateSubscription(c.ctx, c.env).Subscription(*wanted).Execute()
	c.ok(201, response, err)
	if made.Format != nil || made.HttpEndpoint.Headers != nil || made.PayloadOptions != nil || made.FilterOptions.IncludedTags != nil ||
		made.ConnectionDetails.GetUrl() != "https://receiver.example/hook" || made.FilterOptions.IpAddressExposed == nil || made.Environment.GetId() != c.env {
		t.Errorf("%+v", made)
	}
	made.SetFormat(management.ENUMSUBSCRIPTIONFORMAT_SPLUNK)
	made.HttpEndpoint.SetHeaders(map[string]string{"X-Custom": "v"})
	made.ConnectionDetails = nil
	put, response, err := c.SubscriptionsWebhooksApi.UpdateSubscription(c.ctx, c.env, made.GetId()).Subscription(*made).Execute()
	c.ok(200, response, err)
	if put.GetFormat() != management.ENUMSUBSCRIPTIONFORMAT_SPLUNK || (*put.ConnectionDetails.Headers)["X-Custom"] != "v" || !put.GetCreatedAt().Equal(made.GetCreatedAt()) {
		t.Errorf("%+v", put)
	}
	_, response, err = c.SubscriptionsWebhooksApi.ReadOneSubscription(c.ctx, c.env, made.GetId()).Execute()
	c.ok(200, response, err)
	for range 49 {
		_, response, err := c.SubscriptionsWebhooksApi.CreateSubscription(c.ctx, c.env).Subscription(*wanted).Execute()
		c.ok(201, response, err)
	}
	_, response, err = c.SubscriptionsWebhooksApi.CreateSubscription(c.ctx, c.env).Subscription(*wanted).Execute()
	c.refusedWith(403, response, err)
	subscriptions := (*management.EntityArrayEmbedded).GetSubscriptions
	if n := listed(c, c.SubscriptionsWebhooksApi.ReadAllSubscriptions(c.ctx, c.env).Execute(), subscriptions); n != 50 {
		t.Errorf("%d subscriptions", n)
	}
	response, err = c.SubscriptionsWebhooksApi.DeleteSubscription(c.ctx, c.env, made.GetId()).Execute()
	c.ok(204, response, err)
	_, response, err = c.SubscriptionsWebhooksApi.ReadOneSubscription(c.ctx, c.env, made.GetId()).Execute()
	c.refusedWith(404, response, err)
	wanted.Name = ""
	_, response, err = c.SubscriptionsWebhooksApi.CreateSubscription(c.ctx, c.env).Subscription(*wanted).Execute()
	c.refusedWith(400, response, err)
}
