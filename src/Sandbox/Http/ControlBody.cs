namespace Dashboard.Sandbox.Http;

/// <summary>Bodies of the control endpoints are read strictly: a switch misspelt must not be taken for one that was left out.</summary>
internal static class ControlBody
{
    public static async Task<Reply> WithAsync(HttpRequest request, IReadOnlyCollection<string> known, Func<System.Text.Json.JsonElement, Reply> use)
    {
        if (await Body.ReadAsync(request) is not { } body)
        {
            return Reply.InvalidBody();
        }

        return body.EnumerateObject().Select(field => field.Name).FirstOrDefault(name => !known.Contains(name)) is { } unknown
            ? Wrong($"{unknown} is none of {string.Join(", ", known)}.")
            : use(body);
    }

    public static Reply Wrong(string sentence) => Reply.Failure(StatusCodes.Status400BadRequest, "invalid_switch", sentence);
}
