namespace Dashboard.Web.Features.SignIn;

/// <summary>Where to go after signing in. Only paths of this server: an address that leads elsewhere would help who made the link.</summary>
internal static class LocalAddress
{
    public static string Or(string? wanted, string otherwise) =>
        wanted is ['/', ..] and not ['/', '/' or '\\', ..] && !wanted.Any(char.IsControl) ? wanted : otherwise;
}
