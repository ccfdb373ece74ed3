package api_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/patrickcping/pingone-go-sdk-v2/management"
	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/emitter"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

// vendorClient is the vendor ecosystem's own client with a token of an emitter, and an environment that it made.
type vendorClient struct {
	*world
	*management.APIClient
	ctx context.Context
	env string
}

// contract runs a test of the vendor's client over http, and unchanged over https with the authority that the emitter
// made.
func contract(t *testing.T, test func(*testing.T, *vendorClient)) {
	t.Helper()
	t.Parallel()
	for scheme, https := range map[string]emitter.HTTPS{"http": {}, "https": {On: true, Hosts: []string{"127.0.0.1"}}} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			test(t, newVendorClient(t, https))
		})
	}
}

func newVendorClient(t *testing.T, https emitter.HTTPS) *vendorClient {
	t.Helper()
	e, err := emitter.Start(t.Context(), emitter.Options{HTTPS: https})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	address, err := url.Parse(e.URL())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if https.On && !roots.AppendCertsFromPEM(e.Authority()) {
		t.Fatal("the emitter has no authority")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	configuration := management.NewConfiguration()
	configuration.Scheme, configuration.Host = address.Scheme, address.Host
	configuration.HTTPClient = &http.Client{Transport: transport}
	// A refusal that the client takes for a passing one is repeated for minutes; the deadline makes that a failure.
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	c := &vendorClient{world: &world{T: t, url: e.URL()}, APIClient: management.NewAPIClient(configuration)}
	c.token = tokenFor(t, configuration.HTTPClient, e)
	c.ctx = context.WithValue(ctx, management.ContextAccessToken, c.token)

	region := management.ENUMREGIONCODE_EU
	made, response, err := c.EnvironmentsApi.CreateEnvironmentActiveLicense(c.ctx).Environment(*management.NewEnvironment(
		*management.NewEnvironmentLicense("7c3d2f58-19b4-4d6a-8f21-b0e94a6c8d33"), "SDK", management.EnvironmentRegion{EnumRegionCode: &region},
		management.ENUMENVIRONMENTTYPE_SANDBOX)).Execute()
	c.ok(201, response, err)
	c.env = made.GetId()
	return c
}

func tokenFor(t *testing.T, client *http.Client, e *emitter.Emitter) string {
	t.Helper()
	environment, id, secret := e.Bootstrap()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	response, err := client.PostForm(e.URL()+"/"+environment+"/as/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("token: %d %s %v", response.StatusCode, raw, err)
	}
	return gjson.GetBytes(raw, "access_token").Str
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
	contract(t, func(t *testing.T, c *vendorClient) {
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
		bill := *management.NewBillOfMaterials([]management.BillOfMaterialsProductsInner{*management.NewBillOfMaterialsProductsInner(management.ENUMPRODUCTTYPE_ONE_MFA)})
		_, response, err = c.BillOfMaterialsBOMApi.UpdateBillOfMaterials(c.ctx, c.env).BillOfMaterials(bill).Execute()
		c.ok(200, response, err)
		readBill, response, err := c.BillOfMaterialsBOMApi.ReadOneBillOfMaterials(c.ctx, c.env).Execute()
		c.ok(200, response, err)
		if readBill.Products[0].Type != management.ENUMPRODUCTTYPE_ONE_MFA {
			t.Errorf("%+v", readBill)
		}
		license, response, err := c.LicensesApi.ReadOneLicense(c.ctx, read.Organization.GetId(), read.License.Id).Execute()
		c.ok(200, response, err)
		if license.GetStatus() != management.ENUMLICENSESTATUS_ACTIVE {
			t.Errorf("%+v", license)
		}
		_, response, err = c.OrganizationsApi.ReadOneOrganization(c.ctx, read.Organization.GetId()).Execute()
		c.ok(200, response, err)
		found := listed(c, c.EnvironmentsApi.ReadAllEnvironments(c.ctx).Filter(`name sw "Ren"`).Execute(), (*management.EntityArrayEmbedded).GetEnvironments)
		if found != 1 {
			t.Errorf("%d environments found", found)
		}
		response, err = c.EnvironmentsApi.DeleteEnvironment(c.ctx, c.env).Execute()
		c.ok(204, response, err)
		_, response, err = c.EnvironmentsApi.ReadOneEnvironment(c.ctx, c.env).Execute()
		c.refusedWith(404, response, err)
	})
}

func TestVendorClientManagesPopulationsAndUsers(t *testing.T) {
	contract(t, func(t *testing.T, c *vendorClient) {
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
	})
}

func TestVendorClientManagesPasswordsAndRoles(t *testing.T) {
	contract(t, func(t *testing.T, c *vendorClient) {
		user := management.NewUser("u@example.com", "u")
		password := management.NewUserPassword()
		password.SetValue("one two three")
		user.SetPassword(*password)
		user, response, err := c.UsersApi.CreateUser(c.ctx, c.env).ContentType("application/vnd.pingidentity.user.import+json").User(*user).Execute()
		c.ok(201, response, err)
		response, err = c.UserPasswordsApi.EnvironmentsEnvironmentIDUsersUserIDPasswordGet(c.ctx, c.env, user.GetId()).Execute()
		c.ok(200, response, err)
		response, err = c.UserPasswordsApi.EnvironmentsEnvironmentIDUsersUserIDPasswordPut(c.ctx, c.env, user.GetId()).
			ContentType("application/vnd.pingidentity.password.set+json").Body(map[string]any{"value": "four", "forceChange": true}).Execute()
		c.ok(200, response, err)
		enabled := management.NewUserEnabled()
		enabled.SetEnabled(false)
		_, response, err = c.EnableUsersApi.UpdateUserEnabled(c.ctx, c.env, user.GetId()).UserEnabled(*enabled).Execute()
		c.ok(200, response, err)
		population, response, err := c.PopulationsApi.CreatePopulation(c.ctx, c.env).Population(*management.NewPopulation("Staff")).Execute()
		c.ok(201, response, err)
		_, response, err = c.UserPopulationsApi.UpdateUserPopulation(c.ctx, c.env, user.GetId()).UserPopulation(*management.NewUserPopulation(population.GetId())).Execute()
		c.ok(200, response, err)
		user.SetNickname("n")
		_, response, err = c.UsersApi.UpdateUserPatch(c.ctx, c.env, user.GetId()).User(*user).Execute()
		c.ok(200, response, err)

		var role management.Role
		for page, err := range c.RolesApi.ReadAllRoles(c.ctx).Execute() {
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range page.EntityArray.Embedded.GetRoles() {
				if one.Role != nil && one.Role.GetName() == management.ENUMROLENAME_IDENTITY_DATA_ADMIN {
					role = *one.Role
				}
			}
		}
		if role.GetId() != directory.RoleID("Identity Data Admin") {
			t.Errorf("%+v", role)
		}
		wanted := *management.NewRoleAssignment(*management.NewRoleAssignmentRole(role.GetId()),
			*management.NewRoleAssignmentScope(c.env, management.ENUMROLEASSIGNMENTSCOPETYPE_ENVIRONMENT))
		assignment, response, err := c.UserRoleAssignmentsApi.CreateUserRoleAssignment(c.ctx, c.env, user.GetId()).RoleAssignment(wanted).Execute()
		c.ok(201, response, err)
		if assignment.Scope.Id != c.env || assignment.ReadOnly == nil {
			t.Errorf("%+v", assignment)
		}
		_, response, err = c.UserRoleAssignmentsApi.ReadOneUserRoleAssignment(c.ctx, c.env, user.GetId(), assignment.GetId()).Execute()
		c.ok(200, response, err)
		response, err = c.UserRoleAssignmentsApi.DeleteUserRoleAssignment(c.ctx, c.env, user.GetId(), assignment.GetId()).Execute()
		c.ok(204, response, err)
	})
}

func TestVendorClientManagesApplications(t *testing.T) {
	contract(t, func(t *testing.T, c *vendorClient) {
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
	})
}

func TestVendorClientManagesKeysAndCertificates(t *testing.T) {
	contract(t, func(t *testing.T, c *vendorClient) {
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

		wanted := *management.NewCertificate(management.ENUMCERTIFICATEKEYALGORITHM_EC, 384, "Made", management.ENUMCERTIFICATEKEYSIGNAGUREALGORITHM_SHA384WITH_ECDSA,
			"CN=made,OU=Tests,O=Hookproof,C=DE", management.ENUMCERTIFICATEKEYUSAGETYPE_OUTBOUND_MTLS, 365)
		generated, response, err := c.CertificateManagementApi.CreateKey(c.ctx, c.env).ContentType("application/json").Certificate(wanted).Execute()
		c.ok(201, response, err)
		if generated.Name != "Made" || generated.SubjectDN != wanted.SubjectDN || generated.KeyLength != 384 || generated.ValidityPeriod != 365 ||
			generated.GetStatus() != management.ENUMCERTIFICATEKEYSTATUS_VALID || generated.SerialNumber.Sign() <= 0 {
			t.Errorf("%+v", generated)
		}
		request, response, err := c.CertificateManagementApi.ExportCSR(c.ctx, c.env, generated.GetId()).Accept(management.ENUMCSREXPORTHEADER_PKCS10).Execute()
		c.ok(200, response, err)
		if !strings.Contains(request, "CERTIFICATE REQUEST") {
			t.Error(request)
		}
		response, err = c.CertificateManagementApi.DeleteKey(c.ctx, c.env, generated.GetId()).Execute()
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
	})
}

func TestVendorClientManagesSubscriptionsUpToTheLimit(t *testing.T) {
	contract(t, func(t *testing.T, c *vendorClient) {
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
	})
}
