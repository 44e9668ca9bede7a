package retort

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
)

// spareHeap is how much a served app keeps as allocated without ever touching
// it, so that the system gives no memory for it. The garbage collector waits
// until as much again has been allocated, and with less than that in use it
// would run for every 4 MB: hundreds of times a second under load, for a tenth
// of the processor's time.
const spareHeap = 16 << 20

// spareCollections makes a small program collect garbage less often until
// release is called. It leaves alone one that was told, by GOGC or a memory
// limit, how to go about it.
func spareCollections() (release func()) {
	if os.Getenv("GOGC") != "" || debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return func() {}
	}
	spare := make([]byte, spareHeap)
	return func() { runtime.KeepAlive(spare) }
}
