package ldap

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

const (
	memberOf = "memberOf"
	// inChain is the matching rule by which Active Directory follows groups of groups.
	inChain = "1.2.840.113556.1.4.1941"
	// maxGroups and maxDepth bound what is read of the groups of a user.
	maxGroups = 2000
	maxDepth  = 16
	// manyGroups is how many groups one question is about.
	manyGroups = 50
)

// group is a group of the directory.
type group struct{ dn, name string }

// groups are those of a user, by the normal form of their DN.
type groups map[string]group

// any reports whether one of the names is among the groups.
func (g groups) any(list DNs) bool {
	return slices.ContainsFunc(list, func(dn string) bool {
		_, found := g[normal(dn)]
		return found
	})
}

// needsGroups reports whether anything depends on the groups of users.
func (o *Options) needsGroups() bool {
	return o.MirrorGroups || len(o.Groups)+len(o.RequireGroups)+len(o.DenyGroups)+len(o.StaffGroups)+len(o.SuperuserGroups) > 0
}

// groupsOf returns the groups of an entry. An error is none that lets somebody in.
func (c *conversation) groupsOf(entry *Entry) (groups, error) {
	o := &c.e.options
	found := groups{}
	if !o.needsGroups() {
		return found, nil
	}
	var err error
	if o.GroupBase == "" {
		err = c.byMemberOf(found, entry.All(memberOf))
	} else {
		err = c.byFilter(found, entry)
	}
	if errors.Is(err, errTooMany) {
		err = fmt.Errorf("ldap: %s is in more than %d groups; narrow GroupBase or GroupFilter", entry.DN, maxGroups)
	}
	return found, err
}

// add notes groups that are not known yet, and returns these.
func (g groups) add(dn, name string) bool {
	key := normal(dn)
	if _, known := g[key]; known {
		return false
	}
	g[key] = group{dn, name}
	return true
}

// byMemberOf takes the groups that the entry names, and those that they name.
func (c *conversation) byMemberOf(found groups, names []string) error {
	for depth := 0; len(names) > 0 && depth < maxDepth; depth++ {
		var next []string
		for _, dn := range names {
			if !found.add(dn, firstName(dn)) || !c.e.options.NestedGroups {
				continue
			}
			if len(found) > maxGroups {
				return errTooMany
			}
			list, err := c.search(dn, ldap.ScopeBaseObject, anyEntry, 1, memberOf)
			if err != nil {
				return err
			}
			for _, g := range list {
				next = append(next, g.All(memberOf)...)
			}
		}
		names = next
	}
	return nil
}

// firstName returns the value that a distinguished name begins with: that of cn.
func firstName(dn string) string {
	parsed, err := ldap.ParseDN(dn)
	if err != nil || len(parsed.RDNs) == 0 || len(parsed.RDNs[0].Attributes) == 0 {
		return ""
	}
	return parsed.RDNs[0].Attributes[0].Value
}

// byFilter searches for the groups.
func (c *conversation) byFilter(found groups, entry *Entry) error {
	o := &c.e.options
	filter := o.GroupFilter
	uid := entry.Get("uid")
	if uid == "" {
		uid = firstName(entry.DN)
	}
	filter = strings.NewReplacer("{dn}", ldap.EscapeFilter(entry.DN), "{uid}", ldap.EscapeFilter(uid)).Replace(filter)
	names, err := c.addFound(found, filter)
	// Active Directory has followed the groups itself.
	if err != nil || !o.NestedGroups || strings.Contains(o.GroupFilter, inChain) {
		return err
	}
	for depth := 1; len(names) > 0 && depth < maxDepth; depth++ {
		var next []string
		for part := range slices.Chunk(names, manyGroups) {
			var above strings.Builder
			for _, dn := range part {
				escaped := ldap.EscapeFilter(dn)
				above.WriteString("(member=" + escaped + ")(uniqueMember=" + escaped + ")")
			}
			more, err := c.addFound(found, "(|"+above.String()+")")
			if err != nil {
				return err
			}
			next = append(next, more...)
		}
		names = next
	}
	return nil
}

// addFound notes what a filter finds, and returns the names that are new.
func (c *conversation) addFound(found groups, filter string) (added []string, err error) {
	list, err := c.search(c.e.options.GroupBase, ldap.ScopeWholeSubtree, filter, maxGroups, "cn")
	if err != nil {
		return nil, err
	}
	for _, g := range list {
		name := g.Get("cn")
		if name == "" {
			name = firstName(g.DN)
		}
		if found.add(g.DN, name) {
			added = append(added, g.DN)
		}
	}
	if len(found) > maxGroups {
		return nil, errTooMany
	}
	return added, nil
}

// wanted returns the names of the auth groups that a user of these groups is in.
func (o *Options) wanted(found groups) []string {
	var names []string
	add := func(name string) {
		if name = strings.ToValidUTF8(strings.TrimSpace(name), ""); name != "" && len(name) <= maxName {
			names = append(names, name)
		}
	}
	for dn, name := range o.Groups {
		if found.any(DNs{dn}) {
			add(name)
		}
	}
	if o.MirrorGroups {
		for _, g := range found {
			add(g.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
