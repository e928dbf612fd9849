// KemonPluginKit
