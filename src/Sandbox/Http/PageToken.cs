using System.Globalization;
using System.Text;

namespace Dashboard.Sandbox.Http;

/// <summary>The cursor of a paged list: opaque to clients, the id of the last row to us.</summary>
internal static class PageToken
{
    public static string After(int id) => Convert.ToBase64String(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"after:{id}")));

    /// <returns>False for a token we never gave; no token reads as the first page.</returns>
    public static bool TryRead(string? token, out int? id)
    {
        id = null;
        if (string.IsNullOrEmpty(token))
        {
            return true;
        }

        var bytes = new byte[token.Length];
        if (!Convert.TryFromBase64String(token, bytes, out var length))
        {
            return false;
        }

        var text = Encoding.ASCII.GetString(bytes, 0, length);
        var known = text.StartsWith("after:", StringComparison.Ordinal) && int.TryParse(text["after:".Length..], CultureInfo.InvariantCulture, out var parsed);
        id = known ? int.Parse(text["after:".Length..], CultureInfo.InvariantCulture) : null;
        return known;
    }

    public static Reply Invalid() => Reply.Failure(StatusCodes.Status400BadRequest, "invalid_token", "Invalid after_token.");
}
