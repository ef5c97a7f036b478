using System.Diagnostics.CodeAnalysis;
using Dashboard.Domain.Teams;

namespace Dashboard.Domain.Costs;

/// <summary>
/// What is said to a team, in sentences, some of which tell amounts: those are for whoever may see money. A text is for everybody; to an
/// unknown reader, as by <see cref="ToString"/>, goes what is for everybody.
/// </summary>
public sealed record Said
{
    private const char Separator = '\u001F'; // of units, in ASCII

    private Said(string full, string plain) => (Full, Plain) = (full, plain);

    /// <summary>To those who may see money.</summary>
    public string Full { get; }

    /// <summary>To everybody.</summary>
    public string Plain { get; }

    /// <summary>One text: both versions where they differ.</summary>
    public string Stored => Full == Plain ? Full : Full + Separator + Plain;

    [return: NotNullIfNotNull(nameof(text))]
    public static implicit operator Said?(string? text) => text is null ? null : Of(text);

    public static Said operator +(Said first, Said second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        return new(first.Full + second.Full, first.Plain + second.Plain);
    }

    /// <summary>For everybody.</summary>
    public static Said Of(string text)
    {
        var clean = Clean(text);
        return new(clean, clean);
    }

    /// <summary>For those alone who may see money.</summary>
    /// <param name="instead">What the others are told in its place.</param>
    public static Said Money(string text, string instead = "") => new(Clean(text), Clean(instead));

    /// <summary>What was <see cref="Stored"/>.</summary>
    public static Said Read(string stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        return stored.IndexOf(Separator, StringComparison.Ordinal) is var at and >= 0 ? new(stored[..at], stored[(at + 1)..]) : new(stored, stored);
    }

    /// <summary>What a member of a team is told.</summary>
    public string To(TeamContext team)
    {
        ArgumentNullException.ThrowIfNull(team);
        return To(team.May(Permission.SeeMoney));
    }

    public string To(bool seesMoney) => seesMoney ? Full : Plain;

    public override string ToString() => Plain;

    private static string Clean(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Replace(Separator, ' '); // a provider's own words may hold anything
    }
}
