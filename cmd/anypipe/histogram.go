package main

import (
	"math/bits"
	"time"
)

// histogram counts durations in buckets that are at most 1/64 wide of their value. The zero value is empty.
type histogram struct {
	buckets [64 * subBuckets]int64
	count   int64
	sum     time.Duration
}

const (
	subBits    = 6
	subBuckets = 1 << subBits
)

// add allocates nothing; it runs once per round trip.
func (h *histogram) add(d time.Duration) {
	h.buckets[bucketOf(d)]++
	h.count++
	h.sum += d
}

// bucketOf: values below subBuckets have a bucket each; above, the leading bit chooses the row and the next six the bucket.
func bucketOf(d time.Duration) int {
	v := uint64(max(d, 0))
	if v < subBuckets {
		return int(v)
	}
	shift := bits.Len64(v) - 1 - subBits
	return (shift+1)*subBuckets + int(v>>shift) - subBuckets
}

// lowest is the smallest duration of a bucket.
func lowest(bucket int) time.Duration {
	if bucket < subBuckets {
		return time.Duration(bucket)
	}
	row, column := bucket/subBuckets, bucket%subBuckets
	return time.Duration(subBuckets+column) << (row - 1)
}

// quantile returns the duration that the share q of all stays at or below, and 0 if the histogram is empty.
func (h *histogram) quantile(q float64) time.Duration {
	rank := int64(q * float64(h.count))
	var seen int64
	for i, n := range h.buckets {
		if seen += n; seen > rank {
			return lowest(i)
		}
	}
	for i := len(h.buckets) - 1; i >= 0; i-- {
		if h.buckets[i] > 0 {
			return lowest(i)
		}
	}
	return 0
}

// mean is exact, as the sum is kept beside the buckets.
func (h *histogram) mean() time.Duration {
	if h.count == 0 {
		return 0
	}
	return h.sum / time.Duration(h.count)
}
