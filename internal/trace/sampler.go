package trace

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
)

// Sampler decides of a trace that begins here, or that another process has begun, whether it is sent.
type Sampler func(parent position, id traceID) bool

var (
	errSampler    = errors.New("allowed are always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off and parentbased_traceidratio")
	errSamplerArg = errors.New("a ratio lies between 0 and 1, such as 0.1")
)

// NewSampler returns the sampler with one of OpenTelemetry's names; argument is the ratio of traceidratio, 1 when it is empty.
func NewSampler(name, argument string) (Sampler, error) {
	plain, parentBased := strings.CutPrefix(name, "parentbased_")
	var root Sampler
	switch plain {
	case "always_on":
		root = func(position, traceID) bool { return true }
	case "always_off":
		root = func(position, traceID) bool { return false }
	case "traceidratio":
		ratio, err := strconv.ParseFloat(argument, 64)
		if argument == "" {
			ratio, err = 1, nil
		}
		if err != nil || !(ratio >= 0 && ratio <= 1) {
			return nil, errSamplerArg
		}
		root = byRatio(ratio)
	default:
		return nil, errSampler
	}
	if !parentBased {
		return root, nil
	}
	return func(parent position, id traceID) bool {
		if parent.known {
			return parent.sampled
		}
		return root(parent, id)
	}, nil
}

// byRatio decides by the id alone, so that every process decides alike.
func byRatio(ratio float64) Sampler {
	below := uint64(ratio * (1 << 63))
	return func(_ position, id traceID) bool { return binary.BigEndian.Uint64(id[8:])>>1 < below }
}
