using System.Globalization;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Marketplaces;

/// <summary>What an offer is called, and where using it leads.</summary>
internal static class OfferWords
{
    public static string Gpu(Offer offer) => offer.GpuCount == 1 ? offer.GpuName : $"{offer.GpuCount} × {offer.GpuName}";

    public static string Name(OfferRow row) => row.Offer.Location is { } place ? $"{Gpu(row.Offer)} in {place}" : Gpu(row.Offer);

    /// <summary>Fills New job with this offer and with what was priced; it rents nothing. The connection travels along: offer ids are the provider's own.</summary>
    public static string Use(TeamContext team, OfferRow row, PricedFor pricedFor) => Addresses.With(
        $"/t/{team.Slug}/jobs/new",
        ("offer", row.Offer.Id),
        ("connection", row.ConnectionId.ToString()),
        ("type", row.Offer.Rental == RentalType.Interruptible ? "bid" : null),
        ("clone", pricedFor.Job?.ToString(CultureInfo.InvariantCulture)),
        ("preset", pricedFor == PricedFor.TheSmokeTest ? PricedFor.Smoke : null));
}
