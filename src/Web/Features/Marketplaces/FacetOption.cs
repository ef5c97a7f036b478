namespace Dashboard.Web.Features.Marketplaces;

/// <summary>A value that a filter can have.</summary>
/// <param name="Value">As in the address.</param>
/// <param name="Word">For people: <c>≥ 24 GB</c>.</param>
/// <param name="Offers">How many offers have it; null where nobody can tell: neither polls nor the present answer, which was asked for less.</param>
/// <param name="AtLeast">There may be more.</param>
public sealed record FacetOption(string Value, string Word, int? Offers, bool AtLeast = false);
