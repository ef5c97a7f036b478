using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Connections;

namespace Dashboard.Web.Api;

/// <param name="Provider"><c>VastAi</c>.</param>
/// <param name="Key">Tried before it is saved; never shown again.</param>
/// <param name="PricesOnly">Search and price its market, rent nothing.</param>
/// <param name="BaseUrl">Leave out for the provider itself; the embedded sandbox's address otherwise.</param>
internal sealed record ConnectionBody(Provider Provider, string? Name, string Key, string? BaseUrl, bool PricesOnly = false);

/// <summary>A connection without anything secret.</summary>
/// <param name="CreditMicros">Spendable balance when last asked; null where unknown or not yours to see.</param>
internal sealed record ConnectionAnswer(
    Guid Id, string Name, Provider Provider, string BaseUrl, bool Simulated, string KeyEnding, string AccountName, ConnectionStatus Status, string? StatusMessage,
    long? CreditMicros, DateTimeOffset? CheckedAt, int Machines, long RateMicrosPerHour, int ForeignMachines, bool PricesOnly);

internal static class ConnectionEndpoints
{
    public static void MapConnections(this IEndpointRouteBuilder api)
    {
        api.MapGet("/connections", async (ApiCaller caller, ConnectionQueries connections, CancellationToken ct) =>
                TypedResults.Ok((await connections.ListAsync(caller.Team, ct)).Select(AnswerOf)))
            .WithSummary("Connections of the team, without secrets.");

        api.MapPost("/connections", async (ApiCaller caller, ConnectionBody body, AddConnection add, ConnectionQueries connections, CancellationToken ct) =>
            {
                var result = await add.RunAsync(caller.Team, new NewConnection(body.Provider, body.Name, new Secret(body.Key ?? ""), body.BaseUrl) { PricesOnly = body.PricesOnly }, ct);
                return result is ConnectionResult.Saved saved
                    ? Results.Created($"/api/v1/connections/{saved.Id}", AnswerOf((await connections.ListAsync(caller.Team, ct)).Single(c => c.Id == saved.Id)))
                    : ApiProblems.Of(result);
            })
            .WithSummary("Tries a provider key and, when it works, saves it encrypted.")
            .Produces<ConnectionAnswer>(StatusCodes.Status201Created).ProducesValidationProblem().ProducesProblem(StatusCodes.Status502BadGateway);
    }

    private static ConnectionAnswer AnswerOf(ConnectionView view) => new(
        view.Id.Value, view.Name, view.Market.Provider, view.Market.BaseUrl, view.Market.Simulated, view.KeyEnding, view.AccountName, view.Status, view.StatusMessage,
        view.Credit?.Micros, view.CheckedAt, view.Machines, view.Rate.MicrosPerHour, view.ForeignCount, view.PricesOnly);
}
