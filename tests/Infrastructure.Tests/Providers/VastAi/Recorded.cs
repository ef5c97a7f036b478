using System.Text.Json;
using Dashboard.Tests.Shared;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

/// <summary>The recorded answers beside these tests.</summary>
internal static class Recorded
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "Infrastructure.Tests", "Providers", "VastAi", "Fixtures");

    public static string Text(string shape) => File.ReadAllText(Path.Combine(Folder, shape + ".json"));

    /// <param name="shape">The file's name.</param>
    /// <param name="path">Names of properties on the way down; of an array its first element.</param>
    public static JsonElement Read(string shape, params string[] path) => path.Aggregate(JsonElement.Parse(Text(shape)), Down);

    public static JsonElement Down(JsonElement from, string name) => from.GetProperty(name) is { ValueKind: JsonValueKind.Array } rows ? rows[0] : from.GetProperty(name);
}
