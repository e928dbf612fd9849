// KemonPluginHost
