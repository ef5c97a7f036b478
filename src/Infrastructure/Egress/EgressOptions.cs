namespace Dashboard.Infrastructure.Egress;

public sealed class EgressOptions
{
    public const string Section = "Egress";

    /// <summary>Hosts (<c>name</c> or <c>name:port</c>) that may be fetched from although their address is not public, and over plain http. Default none.</summary>
    public IList<string> AllowedPrivateHosts { get; } = [];
}
