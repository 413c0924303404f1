package engine

import "context"

// Place says on whose behalf a transport is called: which unit, which part of its item, and which attempt or round. It
// travels in the context, for logs and for simulated hosts; a real transport decides nothing by it.
type Place struct {
	Unit
	Part   PartName
	Number int
}

type placeKey struct{}

// WithPlace returns a context that carries the place.
func WithPlace(ctx context.Context, p Place) context.Context {
	return context.WithValue(ctx, placeKey{}, p)
}

// PlaceOf is the place that the context carries; the zero Place without one.
func PlaceOf(ctx context.Context) Place {
	p, _ := ctx.Value(placeKey{}).(Place)
	return p
}
