package local

// yieldCPU lets another thread run on this CPU.
func yieldCPU() { _, _, _ = procYieldExecution.Call() }
