package api

// Routes are the methods and patterns that the API answers, for the tests outside of the package.
func (a *API) Routes() [][2]string {
	var routes [][2]string
	for _, r := range a.routes {
		routes = append(routes, [2]string{r.method, "/v1/" + r.pattern})
	}
	return routes
}
