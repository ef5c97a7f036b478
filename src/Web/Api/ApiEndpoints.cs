namespace Dashboard.Web.Api;

internal static class ApiEndpoints
{
    public static void AddApi(this IServiceCollection services) => services.AddProblemDetails().AddOpenApi();

    public static void MapApi(this IEndpointRouteBuilder endpoints) => endpoints.MapOpenApi().AllowAnonymous();
}
