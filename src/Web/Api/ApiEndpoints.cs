using Dashboard.Web.Auth;

namespace Dashboard.Web.Api;

/// <summary>
/// The REST API: the same use cases and queries as the pages, for programs. A token belongs to one team, so addresses
/// do not name it. Amounts are whole micro-dollars (1 USD = 1,000,000), times are UTC.
/// </summary>
internal static class ApiEndpoints
{
    public static void AddApi(this IServiceCollection services)
    {
        services.AddProblemDetails();
        services.AddExceptionHandler<ApiFaults>();
        services.Configure<RouteHandlerOptions>(handlers => handlers.ThrowOnBadRequest = true); // so that every refusal is a problem document
        services.AddOpenApi("v1", openApi => openApi.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "Dashboard";
            document.Info.Version = "1";
            document.Info.Description = "Rents GPUs and trains adapters. Send \"Authorization: Bearer TOKEN\". Amounts are whole micro-dollars (1 USD = 1,000,000), times are UTC.";
            return Task.CompletedTask;
        }));
        services.AddSingleton<ApiQueries>();
    }

    public static void MapApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapOpenApi().AllowAnonymous();
        var api = endpoints.MapGroup("/api/v1").RequireAuthorization(AuthRegistration.ApiPolicy).DisableAntiforgery();
        api.MapConnections();
        api.MapJobs();
        api.MapJobFiles();
        api.MapMachines();
        api.MapLedger();
    }
}
