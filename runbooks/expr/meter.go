package expr

import (
	"reflect"
	"sync/atomic"

	"github.com/zclconf/go-cty/cty"
)

// Meter bounds the loops of many evaluations together, so that a project of many expensive expressions cannot hold up
// its validation. At run time there is none: what a runbook may do has been seen then. Safe for concurrent use.
type Meter struct{ left atomic.Int64 }

// NewMeter allows so many elements to be visited.
func NewMeter(elements int64) *Meter {
	m := &Meter{}
	m.left.Store(elements)
	return m
}

func (m *Meter) take() bool { return m == nil || m.left.Add(-1) >= 0 }

// meterName hides a meter in an evaluation context, as budgetName does.
const meterName = " meter"

//nolint:gochecknoglobals // immutable: cty compares capsule types by identity
var meterCapsule = cty.Capsule("meter", reflect.TypeFor[Meter]())

// WithMeter returns a scope whose evaluations share the meter. With nil it is the same scope.
func (s *Scope) WithMeter(m *Meter) *Scope {
	if m == nil {
		return s
	}
	c := s.ctx.NewChild()
	c.Variables = map[string]cty.Value{meterName: cty.CapsuleVal(meterCapsule, m)}
	return &Scope{c}
}

func (s *Scope) meter() *Meter {
	for ctx := s.ctx; ctx != nil; ctx = ctx.Parent() {
		if v, ok := ctx.Variables[meterName]; ok && v.Type() == meterCapsule {
			m, _ := v.EncapsulatedValue().(*Meter)
			return m
		}
	}
	return nil
}
