package security

import (
	"sync"
	"unsafe"

	"github.com/retort-web/retort"
)

// What this package made and the commands tell about: see [own].
var (
	ownLimits own[limiter]
	ownCORS   own[corsPolicy]
)

// own finds what a middleware of ours is, as a func says nothing about itself. It holds
// all that were made until the process ends: they are made while a program starts.
type own[T any] struct{ all sync.Map }

// add remembers what a new middleware is, and returns the middleware. It must close over
// something, so that it is told from all others.
func (o *own[T]) add(m retort.Middleware, what *T) retort.Middleware {
	o.all.Store(identity(m), what)
	return m
}

// find returns what a middleware is, or nil if it is none of these.
func (o *own[T]) find(m retort.Middleware) *T {
	what, _ := o.all.Load(identity(m))
	t, _ := what.(*T)
	return t
}

// among returns what those of a list are that are known.
func (o *own[T]) among(list []retort.Middleware) (found []*T) {
	for _, m := range list {
		if t := o.find(m); t != nil {
			found = append(found, t)
		}
	}
	return found
}

// identity tells one func value from another. Such a value is a pointer to the code and
// to what it closes over; copies of it are the same pointer, and while one is kept here
// nothing else is made at its place. Package reflect would return the pointer to the
// code, which all that one function makes have in common.
func identity(m retort.Middleware) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&m)) }
