package oidc

import (
	"context"
	"errors"
	"strconv"
	"strings"
)

// Google is the provider "google".
func Google() Provider {
	return Provider{Name: "google", Label: "Google", Issuer: "https://accounts.google.com"}
}

// Microsoft is the provider "microsoft" for the users of one tenant of Entra ID, by the
// tenant's ID. Its directory says nothing of whether addresses are verified: they are
// with AssumeVerified, if only the tenant's administrators can change them.
//
// All tenants at once, "common", cannot be: there anyone can make a tenant and give
// themselves any address in it.
func Microsoft(tenant string) Provider {
	switch tenant {
	case "", "common", "organizations", "consumers":
		tenant = "{tenant}" // which Install refuses
	}
	return Provider{Name: "microsoft", Label: "Microsoft", Issuer: "https://login.microsoftonline.com/" + tenant + "/v2.0"}
}

// GitLab is the provider "gitlab": gitlab.com, or another by its address.
func GitLab(address ...string) Provider {
	p := Provider{Name: "gitlab", Label: "GitLab", Issuer: "https://gitlab.com"}
	if len(address) > 0 {
		p.Issuer = strings.TrimSuffix(address[0], "/")
	}
	return p
}

// Keycloak is a provider of a name, by the issuer of a realm:
// "https://sso.example.com/realms/staff".
func Keycloak(name, issuer string) Provider { return Provider{Name: name, Issuer: issuer} }

// GitHub is the provider "github". It has no OpenID Connect: the user is asked for by
// its API, and the address is the primary one if that is verified there.
func GitHub() Provider { return gitHub("https://github.com", "https://api.github.com") }

func gitHub(site, api string) Provider {
	return Provider{
		Name: "github", Label: "GitHub", Issuer: site, Scopes: []string{"read:user", "user:email"},
		OAuth2: &OAuth2{AuthURL: site + "/login/oauth/authorize", TokenURL: site + "/login/oauth/access_token", Profile: gitHubProfile(api)},
	}
}

func gitHubProfile(api string) func(ctx context.Context, get func(context.Context, string, any) error) (*Profile, error) {
	return func(ctx context.Context, get func(context.Context, string, any) error) (*Profile, error) {
		var user struct {
			ID    int64  `json:"id"`
			Login string `json:"login"`
			Name  string `json:"name"`
		}
		if err := get(ctx, api+"/user", &user); err != nil {
			return nil, err
		}
		if user.ID <= 0 {
			return nil, errors.New("the answer has no id of the user")
		}
		var addresses []struct {
			Email    string `json:"email"`
			Primary  bool   `json:"primary"`
			Verified bool   `json:"verified"`
		}
		if err := get(ctx, api+"/user/emails", &addresses); err != nil {
			return nil, err
		}
		// The login can be changed and given to another user; the number cannot.
		p := &Profile{Subject: strconv.FormatInt(user.ID, 10), Name: user.Name, Claims: map[string]any{"login": user.Login}}
		for _, a := range addresses {
			if a.Primary {
				p.Email, p.EmailVerified = a.Email, a.Verified
			}
		}
		return p, nil
	}
}
