namespace Dashboard.Web.Features.Prices;

/// <param name="Week">Null: there is no such series.</param>
public sealed record WeekView(PriceWeek? Week);
