using System.Runtime.Versioning;

// Namespaces, bubblewrap and /proc.
[assembly: SupportedOSPlatform("linux")]
