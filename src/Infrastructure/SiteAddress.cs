namespace Dashboard.Infrastructure;

/// <summary>Where people reach this server: what links in messages begin with.</summary>
/// <param name="Root">Without a trailing slash.</param>
public sealed record SiteAddress(Uri Root)
{
    /// <param name="path">Begins with a slash.</param>
    public Uri To(string path) => new($"{Root.ToString().TrimEnd('/')}{path}");
}
