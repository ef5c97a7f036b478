namespace Dashboard.Web.Features.Marketplaces;

/// <summary>A value that a filter can have.</summary>
/// <param name="Value">As in the address.</param>
/// <param name="Word">For people: <c>≥ 24 GB</c>.</param>
/// <param name="Offers">How many of the offers here have it; null where the present answer cannot tell, because it was asked for less.</param>
public sealed record FacetOption(string Value, string Word, int? Offers);
