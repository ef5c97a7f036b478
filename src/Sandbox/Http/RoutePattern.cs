using System.Text.RegularExpressions;

namespace Dashboard.Sandbox.Http;

/// <summary>A method and a path with wildcards: <c>*</c> stands for anything within one segment, <c>**</c> for anything at all. A trailing slash never matters.</summary>
internal sealed class RoutePattern
{
    private readonly string? _method;
    private readonly Regex _path;

    /// <param name="method">Null for any.</param>
    public RoutePattern(string? method, string path)
    {
        _method = method;
        var pattern = Regex.Escape(path.TrimEnd('/')).Replace(@"\*\*", ".*", StringComparison.Ordinal).Replace(@"\*", "[^/]*", StringComparison.Ordinal);
        _path = new Regex($"^{pattern}/?$", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
    }

    public bool Matches(string method, string path) => (_method is null || string.Equals(_method, method, StringComparison.OrdinalIgnoreCase)) && _path.IsMatch(path);
}
