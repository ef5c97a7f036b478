using System.ComponentModel.DataAnnotations;

namespace Dashboard.Web.SandboxHost;

/// <summary>The embedded marketplace. Section <c>Sandbox</c>.</summary>
public sealed class SandboxOptions
{
    /// <summary>Whether it is started. Default: in Development only, because it runs commands on this computer by design.</summary>
    public bool? Enabled { get; init; }

    /// <summary>Its port on loopback. Default 5081.</summary>
    [Range(1, 65_535)] public int Port { get; init; } = 5081;

    /// <summary>Lets it run although this server can be reached from other computers. Default false.</summary>
    public bool AllowRemote { get; init; }

    /// <summary>Path of <c>Dashboard.Sandbox.dll</c>. Default: beside this program, or where the repository's build puts it.</summary>
    public string? Executable { get; init; }

    /// <summary>Where its programs (sshd, bwrap) are unpacked. Default: <c>tools</c> in the data directory.</summary>
    public string? Tools { get; init; }

    /// <summary>More arguments for its command line, separated by spaces, for example <c>--billing-factor 1000</c>.</summary>
    public string Arguments { get; init; } = "";
}
