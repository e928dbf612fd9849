// KemonKernel
